// What clients get from a server that runs.
#include "shunt/nbd/server.h"

#include <fmt/core.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <sstream>

#include "unit/nbd/client.h"

namespace {
// What the next call of accept4() fails with; 0: nothing.
std::atomic<int> accept_fails{0};
}  // namespace

// In the place of the one of the C library.
extern "C" int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  if (const int number = accept_fails.exchange(0); number != 0) {
    errno = number;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_accept4, fd, address, size, flags));
}

namespace shunt::nbd {
namespace {

using test::MemoryExport;

constexpr std::uint32_t kPermission = 1;
constexpr std::uint32_t kIo = 5;
constexpr std::uint32_t kInvalid = 22;
constexpr std::uint32_t kNoSpace = 28;
constexpr std::uint32_t kOverflow = 75;
constexpr std::uint32_t kShutdown = 108;

Bytes part(const std::vector<std::byte>& bytes, std::size_t offset, std::size_t size) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

// The data of a READ with structured replies; nullopt when it failed.
std::optional<Bytes> read(Client& client, std::uint64_t offset, std::uint32_t length) {
  if (!client.send(Client::request(Command::kRead, offset, length))) return std::nullopt;
  const auto data = client.answer();
  if (!data || data->type != Chunk::kOffsetData || data->done) return std::nullopt;
  CHECK(load_be<std::uint64_t>(data->payload.data()) == offset);
  const auto end = client.answer();
  if (!end || end->type != Chunk::kNone || !end->done) return std::nullopt;
  return Bytes(data->payload.begin() + 8, data->payload.end());
}

TEST_CASE("what is written is read, in pieces larger and smaller than the server's") {
  MemoryExport target(8 << 20);
  const Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.go());
  for (const std::size_t size : {1UL, 4096UL, kPieceSize, kPieceSize + 1, 5UL << 20U}) {
    const Bytes data = pattern(size, static_cast<unsigned>(size));
    REQUIRE(client.write(77, data) == 0U);
    CHECK(target.content(77, size) == data);
    CHECK(read(client, 77, static_cast<std::uint32_t>(size)) == data);
  }
}

TEST_CASE("without structured replies, data follows the reply") {
  MemoryExport target(1 << 20);
  target.bytes = pattern(1 << 20);
  const Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.go(false));
  REQUIRE(client.send(Client::request(Command::kRead, 3, 600'000, 0, 99)));
  const auto reply = client.answer();
  REQUIRE(reply);
  CHECK_FALSE(reply->chunk);
  CHECK(reply->cookie == 99);
  CHECK(client.receive(600'000) == target.content(3, 600'000));
  CHECK(client.error_of(Client::request(Command::kRead, 1 << 20, 1)) == kInvalid);
  CHECK(client.error_of(Client::request(Command::kRead, 0, 512, kFlagDf)) == kInvalid);
}

TEST_CASE("requests that come at once are answered in their order") {
  MemoryExport target(1 << 20);
  const Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.go());
  Bytes all;
  constexpr std::uint64_t kCount = 1000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const Bytes data = pattern(100, static_cast<unsigned>(i));
    const Bytes bytes = Client::request_to_write(i * 100, data, 0, i);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  std::thread sender([&] { client.send(all); });
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const auto reply = client.answer();
    REQUIRE(reply);
    REQUIRE(reply->cookie == i);
  }
  sender.join();
  CHECK(target.content(99'900, 100) == pattern(100, 999));
}

TEST_CASE("a write that cannot be is taken, answered, and the connection goes on") {
  MemoryExport target(40 << 20);
  target.verdict_on = [](ByteRange range) -> Result<void> {
    if (range.begin < 4096) return system_error(EPERM, "disk", "write");
    return {};
  };
  const Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.go());
  const Bytes data = pattern(300'000);
  CHECK(client.write(0, data) == kPermission);
  CHECK(target.writes == 0);
  CHECK(client.write(target.bytes.size() - 10, data) == kNoSpace);
  CHECK(client.write(UINT64_MAX - 10, data) == kNoSpace);
  CHECK(client.write(4096, data, kFlagNoHole) == kInvalid);
  CHECK(client.write(4096, {}) == kInvalid);
  CHECK(client.write(4096, Bytes((32 << 20) + 1)) == kInvalid);
  CHECK(target.writes == 0);
  CHECK(client.write(4096, data) == 0U);
  CHECK(target.content(4096, data.size()) == data);
  // More than is worth taking.
  REQUIRE(client.send(Client::request(Command::kWrite, 4096, 0xffff'ffff)));
  CHECK(client.ended());
}

TEST_CASE("an error that a piece meets is the answer to the whole request, with its text") {
  MemoryExport target(2 << 20);
  target.verdict_on = [](ByteRange range) -> Result<void> {
    // may_write is asked for the whole.
    if (range.size() <= kPieceSize && range.end > 500'000) {
      return system_error(ENOSPC, "disk", "write");
    }
    return {};
  };
  const Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.go());
  REQUIRE(client.send(Client::request_to_write(0, Bytes(1 << 20, std::byte{7}), 0, 5)));
  const auto reply = client.answer();
  REQUIRE(reply);
  CHECK(reply->type == Chunk::kError);
  CHECK(reply->done);
  CHECK(reply->cookie == 5);
  CHECK(reply->error == kNoSpace);
  const std::string text(reinterpret_cast<const char*>(reply->payload.data()) + 6,
                         reply->payload.size() - 6);
  CHECK(text == "disk: write: No space left on device");
  CHECK(target.content(target.bytes.size() - 1, 1) == Bytes(1));
  CHECK(client.write(0, pattern(100)) == 0U);
}

TEST_CASE("an error within a read: a chunk behind the data, or the end of the connection") {
  MemoryExport target(4 << 20);
  target.bytes = pattern(4 << 20);
  target.unreadable_from = 1 << 20;
  const Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.go());
  REQUIRE(client.send(Client::request(Command::kRead, 0, 3 << 20)));
  const auto data = client.answer();
  REQUIRE(data);
  CHECK(data->type == Chunk::kOffsetData);
  CHECK_FALSE(data->done);
  REQUIRE(data->payload.size() == 8 + (3U << 20U));
  // All pieces that do not reach what cannot be read.
  constexpr std::size_t kSure = (1 << 20) - kPieceSize;
  CHECK(part(data->payload, 8, kSure) == target.content(0, kSure));
  // And nothing of what the server had to do with before.
  CHECK(part(data->payload, 8 + (2 << 20), 1 << 20) == Bytes(1 << 20));
  const auto end = client.answer();
  REQUIRE(end);
  CHECK(end->error == kIo);
  CHECK(end->done);
  CHECK(client.error_of(Client::request(Command::kRead, 2 << 20, 10)) == kIo);
  CHECK(read(client, 0, 4096) == target.content(0, 4096));

  Client simple(serving.path());
  REQUIRE(simple.go(false));
  CHECK(simple.error_of(Client::request(Command::kRead, 2 << 20, 10)) == kIo);
  REQUIRE(simple.send(Client::request(Command::kRead, 0, 3 << 20)));
  CHECK(simple.answer()->error == 0);
  CHECK_FALSE(simple.receive(3 << 20));
}

TEST_CASE("zeros, trims and block status") {
  MemoryExport target(1 << 20);
  target.bytes = Bytes(1 << 20, std::byte{1});
  const Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.go());
  CHECK(client.error_of(Client::request(Command::kWriteZeroes, 100, 50)) == 0U);
  CHECK(target.last_zeroing() == Zeroing::kMayTrim);
  CHECK(client.error_of(Client::request(Command::kWriteZeroes, 200, 50, kFlagNoHole)) == 0U);
  CHECK(target.last_zeroing() == Zeroing::kNoHole);
  CHECK(client.error_of(Client::request(Command::kWriteZeroes, 0, 50, kFlagFastZero)) == kInvalid);
  CHECK(client.error_of(Client::request(Command::kTrim, 300, 50)) == 0U);
  CHECK(target.trims == 1);

  const auto status = [&](std::uint16_t flags) {
    REQUIRE(client.send(Client::request(Command::kBlockStatus, 90, 140, flags)));
    const auto reply = client.answer();
    REQUIRE(reply);
    CHECK(reply->type == Chunk::kBlockStatus);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> extents;
    for (std::size_t at = 4; at < reply->payload.size(); at += 8) {
      extents.emplace_back(load_be<std::uint32_t>(reply->payload.data() + at),
                           load_be<std::uint32_t>(reply->payload.data() + at + 4));
    }
    return extents;
  };
  using Extents = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  CHECK(status(0) == Extents{{10, 0}, {50, 3}, {50, 0}, {30, 3}});
  CHECK(status(kFlagReqOne) == Extents{{10, 0}});
  Client simple(serving.path());
  REQUIRE(simple.go(false));
  CHECK(simple.error_of(Client::request(Command::kBlockStatus, 90, 140)) == kInvalid);
}

TEST_CASE("flush and FUA are answered when the export is flushed, and others go on meanwhile") {
  MemoryExport target(1 << 20);
  target.is_flushed = false;
  Serving serving(target);
  Client waiting(serving.path());
  Client other(serving.path());
  REQUIRE(waiting.go());
  REQUIRE(other.go());
  SECTION("flush") {
    REQUIRE(waiting.send(Client::request(Command::kFlush, 0, 0)));
  }
  SECTION("a trim with FUA") {
    REQUIRE(waiting.send(Client::request(Command::kTrim, 0, 9, kFlagFua)));
  }
  SECTION("zeros with FUA") {
    REQUIRE(waiting.send(Client::request(Command::kWriteZeroes, 0, 9, kFlagFua)));
  }
  SECTION("a write with FUA") {
    REQUIRE(waiting.send(Client::request_to_write(0, Bytes(9), kFlagFua)));
  }
  REQUIRE(eventually([&] { return target.flushes == 1; }));
  CHECK(other.write(0, pattern(100)) == 0U);
  CHECK(waiting.hears_nothing());
  target.is_flushed = true;
  serving.server->wake();
  REQUIRE(waiting.answer());
  CHECK(target.flushes == 1);
}

TEST_CASE("while the export is not ready changes wait, and reads go on") {
  MemoryExport target(1 << 20);
  target.is_ready = false;
  Serving serving(target);
  Client writer(serving.path());
  Client reader(serving.path());
  REQUIRE(writer.go());
  REQUIRE(reader.go());
  const Bytes data = pattern(100'000);
  REQUIRE(writer.send(Client::request_to_write(0, data)));
  CHECK(read(reader, 0, 4096) == Bytes(4096));
  CHECK(writer.hears_nothing());
  target.is_ready = true;
  serving.server->wake();
  REQUIRE(writer.answer());
  CHECK(read(reader, 0, 100'000) == data);
}

TEST_CASE("a read whose bytes have to come first is answered later, and others go on meanwhile") {
  MemoryExport target(1 << 20);
  const Bytes data = pattern(1 << 20);
  std::ranges::copy(data, target.bytes.begin());
  target.has_come = 300'000;
  Serving serving(target);
  Client waiting(serving.path());
  Client other(serving.path());
  REQUIRE(waiting.go());
  REQUIRE(other.go());
  const bool from_its_start = GENERATE(false, true);
  const std::uint64_t begin = from_its_start ? 300'000 : 1000;
  const std::uint32_t size = 600'000;
  std::optional<Bytes> got;
  std::jthread reading([&] { got = read(waiting, begin, size); });
  REQUIRE(eventually([&] { return target.reads > 0; }));
  CHECK(read(other, 0, 4096) == Bytes(data.begin(), data.begin() + 4096));
  CHECK(other.write(0, pattern(4096)) == 0U);
  target.has_come = 1 << 20;
  serving.server->wake();
  reading.join();
  const auto first = data.begin() + static_cast<std::ptrdiff_t>(begin);
  CHECK(got == Bytes(first, first + size));
}

TEST_CASE("a client that waits for the export is not late") {
  MemoryExport target(1 << 20);
  target.is_ready = false;
  ServerOptions options;
  options.limits.stalled_request_ms = 50;
  Serving serving(target, options);
  Client writer(serving.path());
  REQUIRE(writer.go());
  Bytes bytes = Client::request(Command::kWrite, 0, 1000);
  REQUIRE(writer.send(bytes));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  // Before the export is ready: from then on the client may be late.
  REQUIRE(writer.send(Bytes(1000, std::byte{3})));
  target.is_ready = true;
  serving.server->wake();
  CHECK(writer.answer());
}

TEST_CASE("reads have a largest size") {
  MemoryExport target(1 << 20);
  ServerOptions options;
  options.limits.read_bytes = 64 << 10;
  const Serving serving(target, options);
  Client client(serving.path());
  REQUIRE(client.go());
  CHECK(read(client, 0, 64 << 10));
  CHECK(client.error_of(Client::request(Command::kRead, 0, (64 << 10) + 1)) == kOverflow);
}

TEST_CASE("what was served is told, and the end of each connection") {
  MemoryExport target(1 << 20);
  ServerOptions options;
  std::mutex mutex;
  std::vector<std::string> told;
  std::vector<std::size_t> left;
  std::vector<Departure> departures;
  options.served = [&](const Served& request) {
    const std::lock_guard lock(mutex);
    told.push_back(fmt::format("{} {} {} {}+{} {}", request.connection, request.command,
                               request.flags, request.range.begin, request.range.size(),
                               request.error));
  };
  options.disconnected = [&](const Departure& departure) {
    const std::lock_guard lock(mutex);
    left.push_back(departure.left);
    departures.push_back(departure);
  };
  const auto ends = [&] {
    const std::lock_guard lock(mutex);
    return left;
  };
  Serving serving(target, options);
  Client first(serving.path());
  REQUIRE(first.go());
  Client second(serving.path());
  REQUIRE(second.go(false));
  Client silent(serving.path());
  REQUIRE(silent.greet());
  REQUIRE(first.write(10, Bytes(20), kFlagFua) == 0U);
  REQUIRE(second.error_of(Client::request(Command::kTrim, 1 << 20, 9)) == kInvalid);
  REQUIRE(first.error_of(Client::request(Command::kFlush, 0, 0)) == 0U);
  REQUIRE(first.send(Client::request(Command::kDisconnect, 0, 0)));
  CHECK(first.ended());
  REQUIRE(eventually([&] { return ends() == std::vector<std::size_t>{2}; }));
  silent.close();
  REQUIRE(eventually([&] { return ends() == std::vector<std::size_t>{2, 1}; }));
  second.close();
  REQUIRE(eventually([&] { return ends() == std::vector<std::size_t>{2, 1, 0}; }));
  REQUIRE(serving.stop());
  REQUIRE(departures.size() == 3);
  CHECK(departures[0].connection == 1);
  CHECK(departures[0].took_leave);
  CHECK(departures[1].connection == 3);
  CHECK_FALSE(departures[1].asked_for_change);
  CHECK_FALSE(departures[1].unanswered);
  CHECK(departures[2].connection == 2);
  CHECK(departures[2].asked_for_change);
  CHECK_FALSE(departures[2].took_leave);
  CHECK_FALSE(departures[2].unanswered);
  CHECK(told == std::vector<std::string>{"1 write 1 10+20 ", "2 trim 0 1048576+9 EINVAL",
                                         "1 flush 0 0+0 "});
}

TEST_CASE("a client that goes within a request is told of as such") {
  MemoryExport target(1 << 20);
  ServerOptions options;
  std::mutex mutex;
  std::optional<Departure> told;
  std::vector<Arrival> come;
  options.connected = [&](const Arrival& arrival) {
    const std::lock_guard lock(mutex);
    come.push_back(arrival);
  };
  options.disconnected = [&](const Departure& departure) {
    const std::lock_guard lock(mutex);
    told = departure;
  };
  Serving serving(target, options);
  Client client(serving.path());
  REQUIRE(client.greet());
  {
    // Before it has said anything.
    const std::lock_guard lock(mutex);
    REQUIRE(come.size() == 1);
    CHECK(come.front().connection == 1);
    CHECK(come.front().process == ::getpid());
  }
  REQUIRE(client.ask(Option::kGo, Bytes(6)) == OptionReply::kAck);
  REQUIRE(client.write(0, Bytes(512)) == 0U);
  bool unanswered = true;
  SECTION("half a request") {
    Bytes half = Client::request(Command::kFlush, 0, 0);
    half.pop_back();
    REQUIRE(client.send(half));
  }
  SECTION("half a payload") {
    REQUIRE(client.send(Client::request(Command::kWrite, 0, 512)));
    REQUIRE(client.send(Bytes(511)));
  }
  SECTION("a flush that is not done") {
    target.is_flushed = false;
    REQUIRE(client.send(Client::request(Command::kFlush, 0, 0)));
    REQUIRE(eventually([&] { return target.flushes == 1; }));
  }
  SECTION("a change that is not begun") {
    target.is_ready = false;
    REQUIRE(client.send(Client::request(Command::kTrim, 0, 512)));
    REQUIRE(client.taken());
  }
  SECTION("a payload that is not worth taking") {
    REQUIRE(client.send(Client::request(Command::kWrite, 0, 0xffff'ffff)));
  }
  SECTION("no request") {
    REQUIRE(client.send(Bytes(28)));
  }
  SECTION("none") {
    unanswered = false;
  }
  client.close();
  // It is seen in the turn of its request.
  target.is_flushed = true;
  target.is_ready = true;
  serving.server->wake();
  REQUIRE(eventually([&] {
    const std::lock_guard lock(mutex);
    return told.has_value();
  }));
  const std::lock_guard lock(mutex);
  CHECK(come.size() == 1);
  CHECK(told->unanswered == unanswered);
  CHECK_FALSE(told->took_leave);
}

TEST_CASE("an error of accept() is taken for what it is about") {
  std::ostringstream text;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)));
  MemoryExport target(1 << 20);
  Serving serving(target);
  SECTION("one connection: the next is served, and nobody has to wait for room") {
    for (const int number : {ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTUNREACH}) {
      accept_fails = number;
      Client client(serving.path());
      CHECK(client.go());
    }
    CHECK(serving.stop());
    CHECK(text.str().empty());
  }
  SECTION("room: there may be some later") {
    for (const int number : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
      Client first(serving.path());
      REQUIRE(first.go());
      accept_fails = number;
      Client client(serving.path());
      CHECK(client.go());
    }
    CHECK(serving.stop());
    CHECK(text.str().find("until there is room") != std::string::npos);
  }
  SECTION("the server itself: it ends") {
    accept_fails = EINVAL;
    Client client(serving.path());
    CHECK_FALSE(serving.join());
  }
  accept_fails = 0;
  spdlog::set_default_logger(before);
}

// A sanitizer looks at memory by means of a pipe, which cannot be made then.
#ifndef SHUNT_SANITIZED

TEST_CASE("a server that cannot wait any more has closed its connections when it fails") {
  MemoryExport target(1 << 20);
  Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.go());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // poll(2) takes no more entries than there may be descriptors.
  const rlimit few{1, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  CHECK(client.ended());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_FALSE(serving.join());
  Client late(serving.path());
  CHECK_FALSE(late.connected());
}

#endif

TEST_CASE("run() returns after stop() and after a request to cancel") {
  MemoryExport target(1 << 20);
  Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.go());
  SECTION("stop") {
    CHECK(serving.stop());
  }
  SECTION("cancel") {
    serving.cancel.request(15);
    CHECK(serving.join());
  }
  CHECK(client.ended());
}

TEST_CASE("stop() does not wait for the export: ESHUTDOWN") {
  MemoryExport target(1 << 20);
  Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.go());
  SECTION("not ready") {
    target.is_ready = false;
    REQUIRE(client.send(Client::request(Command::kTrim, 0, 4096)));
  }
  SECTION("not flushed") {
    target.is_flushed = false;
    REQUIRE(client.send(Client::request(Command::kFlush, 0, 0)));
    REQUIRE(eventually([&] { return target.flushes == 1; }));
  }
  SECTION("bytes that are on their way") {
    target.has_come = 0;
    REQUIRE(client.send(Client::request(Command::kRead, 0, 4096)));
    REQUIRE(eventually([&] { return target.reads > 0; }));
  }
  REQUIRE(client.taken());
  CHECK(serving.stop());
  const auto reply = client.answer();
  REQUIRE(reply);
  CHECK(reply->error == kShutdown);
  CHECK(client.ended());
}

}  // namespace
}  // namespace shunt::nbd
