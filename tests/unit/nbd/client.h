// A client for tests of the server: says exactly what it is told to, and a server in a thread.
#pragma once

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "shunt/nbd/protocol.h"
#include "shunt/nbd/server.h"
#include "shunt/nbd/wire.h"
#include "support/catch.h"
#include "support/memory_export.h"
#include "support/temp_dir.h"

namespace shunt::nbd {

struct Answer {
  bool chunk = false;
  Chunk type{};
  bool done = true;
  std::uint32_t error = 0;
  std::uint64_t cookie = 0;
  Bytes payload;  // of a chunk
};

class Client {
 public:
  enum class Connecting { kNow, kLater };
  static constexpr int kPatience = 20'000;  // ms

  explicit Client(const std::string& path, Connecting when = Connecting::kNow)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (when == Connecting::kNow) connect(path);
    wait_at_most(kPatience);
  }

  bool connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), path.size());
    connected_ =
        ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    return connected_;
  }
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int number() const { return socket_.get(); }
  void wait_at_most(int ms) {
    const timeval limit{ms / 1000, (ms % 1000) * 1000};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  void close() { socket_.reset(); }

  bool send(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // nullopt: the connection ended, or nothing came in time.
  std::optional<Bytes> receive(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t at = 0; at < size;) {
      const ssize_t got = ::recv(socket_.get(), bytes.data() + at, size - at, 0);
      if (got <= 0) return std::nullopt;
      at += static_cast<std::size_t>(got);
    }
    return bytes;
  }
  // Whether the server has closed the connection, read to its end.
  bool ended() {
    Bytes bytes(64 << 10);
    for (;;) {
      const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (got == 0) return true;
      if (got < 0) return errno != EAGAIN;
    }
  }

  // An option; the type of the last reply to it.
  std::optional<OptionReply> ask(Option option, const Bytes& data = {}) {
    Bytes bytes;
    append(bytes, kOptionMagic);
    append(bytes, static_cast<std::uint32_t>(option));
    append(bytes, static_cast<std::uint32_t>(data.size()));
    bytes.insert(bytes.end(), data.begin(), data.end());
    if (!send(bytes)) return std::nullopt;
    for (;;) {
      const auto header = receive(20);
      if (!header) return std::nullopt;
      const OptionReply type{load_be<std::uint32_t>(header->data() + 12)};
      if (!receive(load_be<std::uint32_t>(header->data() + 16))) return std::nullopt;
      if (type != OptionReply::kInfo && type != OptionReply::kMetaContext) return type;
    }
  }
  bool greet() {
    Bytes flags;
    append(flags, std::uint32_t{kFixedNewstyle | kNoZeroes});
    return receive(18).has_value() && send(flags);
  }
  // Up to transmission.
  bool go(bool structured = true) {
    if (!greet()) return false;
    if (structured) {
      Bytes context;
      append(context, std::uint32_t{0});
      append(context, std::uint32_t{1});
      append(context, std::uint32_t{15});
      append(context, std::string_view("base:allocation"));
      if (ask(Option::kStructuredReply) != OptionReply::kAck) return false;
      if (ask(Option::kSetMetaContext, context) != OptionReply::kAck) return false;
    }
    return ask(Option::kGo, Bytes(6)) == OptionReply::kAck;
  }

  static Bytes request(Command command, std::uint64_t offset, std::uint32_t length,
                       std::uint16_t flags = 0, std::uint64_t cookie = 1) {
    Bytes bytes;
    append(bytes, kRequestMagic);
    append(bytes, flags);
    append(bytes, static_cast<std::uint16_t>(command));
    append(bytes, cookie);
    append(bytes, offset);
    append(bytes, length);
    return bytes;
  }
  static Bytes request_to_write(std::uint64_t offset, const Bytes& data, std::uint16_t flags = 0,
                                std::uint64_t cookie = 1) {
    Bytes bytes =
        request(Command::kWrite, offset, static_cast<std::uint32_t>(data.size()), flags, cookie);
    bytes.insert(bytes.end(), data.begin(), data.end());
    return bytes;
  }
  std::optional<Answer> answer() {
    auto header = receive(kSimpleReplySize);
    if (!header) return std::nullopt;
    Answer result;
    if (load_be<std::uint32_t>(header->data()) == kSimpleReplyMagic) {
      result.error = load_be<std::uint32_t>(header->data() + 4);
      result.cookie = load_be<std::uint64_t>(header->data() + 8);
      return result;
    }
    if (load_be<std::uint32_t>(header->data()) != kChunkMagic) return std::nullopt;
    const auto size = receive(4);
    if (!size) return std::nullopt;
    auto payload = receive(load_be<std::uint32_t>(size->data()));
    if (!payload) return std::nullopt;
    result.chunk = true;
    result.done = (load_be<std::uint16_t>(header->data() + 4) & kChunkDone) != 0;
    result.type = Chunk{load_be<std::uint16_t>(header->data() + 6)};
    result.cookie = load_be<std::uint64_t>(header->data() + 8);
    result.payload = std::move(*payload);
    if (result.type == Chunk::kError) {
      result.error = load_be<std::uint32_t>(result.payload.data());
    }
    return result;
  }
  // Waits until the server has read all that was sent.
  [[nodiscard]] bool taken() const {
    for (int i = 0; i < 2000; ++i) {
      int left = 1;
      if (::ioctl(socket_.get(), SIOCOUTQ, &left) != 0) return false;
      if (left == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  // Whether no answer comes for a while.
  bool hears_nothing() {
    wait_at_most(50);
    const bool nothing = !answer();
    wait_at_most(kPatience);
    return nothing;
  }
  // The error of the answer to a request without data; 0: none; nullopt: no answer came.
  std::optional<std::uint32_t> error_of(const Bytes& bytes) {
    if (!send(bytes)) return std::nullopt;
    const auto reply = answer();
    if (!reply) return std::nullopt;
    return reply->error;
  }
  std::optional<std::uint32_t> write(std::uint64_t offset, const Bytes& data,
                                     std::uint16_t flags = 0) {
    return error_of(request_to_write(offset, data, flags));
  }

 private:
  io::Fd socket_;
  bool connected_ = false;
};

// A server of `target` in a thread, at path().
class Serving {
 public:
  explicit Serving(test::MemoryExport& target, ServerOptions options = {}) {
    auto listener = listen_unix(path());
    REQUIRE(listener);
    std::vector<io::Fd> listeners;
    listeners.push_back(std::move(*listener));
    server.emplace(target, std::move(listeners), std::move(options));
    thread_ = std::thread([this] { ended_well_ = server->run(cancel).has_value(); });
  }
  ~Serving() { static_cast<void>(stop()); }

  [[nodiscard]] std::string path() const { return dir_.file("socket"); }
  // True when run() returned without an error.
  bool stop() {
    if (!thread_.joinable()) return ended_well_;
    server->stop();
    thread_.join();
    return ended_well_;
  }
  // Waits for run() to return by itself.
  bool join() {
    thread_.join();
    return ended_well_;
  }

  std::optional<Server> server;
  CancelToken cancel;

 private:
  test::TempDir dir_;
  std::thread thread_;
  std::atomic<bool> ended_well_{false};
};

inline Bytes pattern(std::size_t size, unsigned seed = 1) {
  Bytes bytes(size);
  for (auto& byte : bytes) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<std::byte>(seed >> 24U);
  }
  return bytes;
}

template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace shunt::nbd
