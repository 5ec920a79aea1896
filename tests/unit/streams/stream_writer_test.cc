#include "shunt/streams/stream_writer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "shunt/io/kernel.h"
#include "support/catch.h"
#include "support/pipe_ends.h"
#include "support/reading_pipe.h"
#include "support/temp_dir.h"
#include "support/waiting.h"

namespace shunt::streams {
namespace {

using Bytes = std::vector<std::byte>;
using test::PipeEnds;

// Fails or cuts short what writes, and counts.
class OddKernel final : public io::Kernel {
 public:
  std::size_t most = SIZE_MAX;  // bytes of one write
  int error = 0;                // of the write after `good` of them
  int good = 0;
  int zero_error = 0;  // of vmsplice
  int writes = 0;
  int zero_splices = 0;

  ssize_t writev(int fd, const struct iovec* parts, int count) override {
    ++writes;
    if (error != 0 && good-- <= 0) {
      errno = error;
      if (error == EAGAIN || error == EINTR) error = 0;  // once
      return -1;
    }
    if (most == SIZE_MAX) return io::Kernel::writev(fd, parts, count);
    for (int i = 0; i < count; ++i) {
      if (parts[i].iov_len == 0) continue;
      const iovec little{parts[i].iov_base, std::min(parts[i].iov_len, most)};
      return io::Kernel::writev(fd, &little, 1);
    }
    return 0;
  }
  ssize_t vmsplice(int fd, const void* data, std::size_t size) override {
    ++zero_splices;
    if (zero_error == 0) return io::Kernel::vmsplice(fd, data, size);
    errno = zero_error;
    return -1;
  }
};

Bytes noise(std::size_t size) {
  std::minstd_rand random(7);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random() >> 8U);
  return bytes;
}

Result<void> write(StreamWriter& writer, const Bytes& bytes) {
  const std::span<const std::byte> part(bytes);
  return writer.write(std::span(&part, 1));
}

struct Fixture {
  test::TempDir dir;
  Bytes data = noise(3'000'001);
  io::File source;
  std::uint64_t expected_size = 0;

  Fixture() {
    std::signal(SIGPIPE, SIG_IGN);
    source = io::File::create(dir.file("source")).value();
    REQUIRE(source.write_at(0, data));
  }

  // A bit of everything, as a stream of many parts, zeros and ranges of a file.
  Bytes send_all(StreamWriter& writer) {
    Bytes expected;
    std::vector<std::span<const std::byte>> parts;
    for (std::size_t at = 0; at < 100; ++at) {
      parts.push_back(std::span(data).subspan(at * 20'000, at % 7 * 2'500));
      expected.insert(expected.end(), parts.back().begin(), parts.back().end());
    }
    CHECK(writer.write(parts));
    CHECK(writer.write({}));
    CHECK(writer.write_zeros(1'000'003));
    expected.resize(expected.size() + 1'000'003);
    CHECK(writer.copy(source, {5, 2'000'005}));
    expected.insert(expected.end(), data.begin() + 5, data.begin() + 2'000'005);
    CHECK(writer.write_zeros(7));
    expected.resize(expected.size() + 7);
    CHECK(writer.finish());
    CHECK(writer.position() == expected.size());
    return expected;
  }

  static Bytes content(const std::string& path) {
    const io::File file = io::File::open_to_read(path).value();
    Bytes bytes(file.size().value());
    REQUIRE(file.read_at(0, bytes).value() == bytes.size());
    return bytes;
  }
};

TEST_CASE_METHOD(Fixture, "all that is sent into a pipe comes out of it") {
  OddKernel kernel;
  const io::KernelOverride installed(&kernel);
  SECTION("as it is") {}
  SECTION("a few bytes at a time") {
    kernel.most = 4093;
  }
  SECTION("with a call that was interrupted, or had to wait") {
    kernel.error = GENERATE(EINTR, EAGAIN);
    kernel.good = 1;
  }
  SECTION("zeros that have to be written") {
    kernel.zero_error = GENERATE(EINVAL, ENOSYS, EPERM);
  }
  test::ReadingPipe pipe;
  Bytes expected;
  {
    StreamWriter writer(pipe.in(), Zeros::kHoles);
    expected = send_all(writer);
  }
  CHECK(pipe.all() == expected);
  CHECK(kernel.zero_splices > 0);
}

TEST_CASE_METHOD(Fixture, "zeros enter a pipe as pages, not as a copy") {
  OddKernel kernel;
  const io::KernelOverride installed(&kernel);
  test::ReadingPipe pipe;
  {
    StreamWriter writer(pipe.in(), Zeros::kWritten);
    REQUIRE(writer.write_zeros(5'000'000));
  }
  CHECK(pipe.all() == Bytes(5'000'000));
  CHECK(kernel.writes == 0);
}

TEST_CASE_METHOD(Fixture, "all that is sent into a socket comes out of it") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  Bytes got;
  std::thread reader([&, fd = io::Fd(ends[0])] {
    Bytes buffer(65536);
    for (ssize_t n = 0; (n = ::read(fd.get(), buffer.data(), buffer.size())) > 0;) {
      got.insert(got.end(), buffer.begin(), buffer.begin() + n);
    }
  });
  Bytes expected;
  {
    io::File out = io::File::adopt(io::Fd(ends[1]), "(socket)");
    StreamWriter writer(out, Zeros::kHoles);
    expected = send_all(writer);
  }
  reader.join();
  CHECK(got == expected);
}

TEST_CASE_METHOD(Fixture, "a regular file has all of it, with holes and without") {
  const auto zeros = GENERATE(Zeros::kWritten, Zeros::kHoles);
  const std::string path = dir.file("out");
  io::File out = io::File::create(path).value();
  Bytes expected;
  {
    StreamWriter writer(out, zeros);
    expected = send_all(writer);
    CHECK(writer.write_zeros(64 << 20));
    CHECK(writer.finish());
  }
  expected.resize(expected.size() + (64 << 20));
  CHECK(content(path) == expected);
  const bool sparse = out.status()->st_blocks * 512 < (32 << 20);
  CHECK(sparse == (zeros == Zeros::kHoles));
}

TEST_CASE_METHOD(Fixture, "no hole shows what a file held before") {
  const std::string path = dir.file("out");
  Bytes expected(3'000'000);
  {
    io::File before = io::File::create(path).value();
    REQUIRE(before.write_at(0, std::span(data).first(100'000)));
  }
  SECTION("written over from the beginning") {
    io::File out = io::File::open_to_change(path).value();
    StreamWriter writer(out, Zeros::kHoles);
    CHECK(writer.write_zeros(expected.size()));
    CHECK(writer.finish());
  }
  SECTION("appended to") {
    io::File out = io::File::adopt(io::Fd(::open(path.c_str(), O_WRONLY | O_APPEND)), path);
    StreamWriter writer(out, Zeros::kHoles);
    CHECK(writer.write_zeros(expected.size()));
    CHECK(writer.finish());
    expected.insert(expected.begin(), data.begin(), data.begin() + 100'000);
  }
  CHECK(content(path) == expected);
}

TEST_CASE_METHOD(Fixture, "a device takes all of it") {
  io::File out = io::File::adopt(io::Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC)), "/dev/null");
  StreamWriter writer(out, Zeros::kHoles);
  send_all(writer);
}

TEST_CASE_METHOD(Fixture, "a full file system is the answer, with the name of the file") {
  OddKernel kernel;
  kernel.error = ENOSPC;
  kernel.good = 1;
  const io::KernelOverride installed(&kernel);
  io::File out = io::File::create(dir.file("out")).value();
  StreamWriter writer(out, Zeros::kWritten);
  REQUIRE(write(writer, Bytes(10)));
  const Result<void> refused =
      GENERATE(true, false) ? write(writer, Bytes(10)) : writer.write_zeros(1'000'000);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().system_errno == ENOSPC);
  CHECK(refused.error().path == out.path());
  CHECK(writer.position() == 10);
}

TEST_CASE_METHOD(Fixture, "a reader that has gone is EPIPE, whatever is written") {
  PipeEnds pipe;
  StreamWriter writer(pipe.writer, Zeros::kWritten);
  CHECK(writer.check_reader());
  pipe.reader.reset();
  Result<void> refused;
  SECTION("data") {
    refused = write(writer, data);
  }
  SECTION("zeros") {
    refused = writer.write_zeros(10);
  }
  SECTION("a file") {
    refused = writer.copy(source, {0, 10});
  }
  SECTION("nothing") {
    refused = writer.check_reader();
  }
  REQUIRE_FALSE(refused);
  CHECK(refused.error().system_errno == EPIPE);
}

TEST_CASE_METHOD(Fixture, "the end waits until the reader has all") {
  PipeEnds pipe;
  StreamWriter writer(pipe.writer, Zeros::kWritten);
  REQUIRE(write(writer, Bytes(1000)));
  REQUIRE(writer.write_zeros(5000));
  std::atomic<bool> read{false};
  std::thread reader([&, waiting = test::this_thread()] {
    test::until_asleep(waiting);
    read = true;
    Bytes buffer(6000);
    CHECK(::read(pipe.reader.get(), buffer.data(), buffer.size()) == 6000);
  });
  CHECK(writer.finish());
  CHECK(read);
  reader.join();
}

TEST_CASE_METHOD(Fixture,
                 "a reader that goes with bytes left in the pipe is an error that counts them") {
  PipeEnds pipe;
  StreamWriter writer(pipe.writer, Zeros::kWritten);
  REQUIRE(write(writer, Bytes(1000)));
  Bytes buffer(400);
  REQUIRE(::read(pipe.reader.get(), buffer.data(), buffer.size()) == 400);
  pipe.reader.reset();
  const auto finished = writer.finish();
  REQUIRE_FALSE(finished);
  CHECK(finished.error().system_errno == EPIPE);
  CHECK(finished.error().reason.find("600 bytes") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a reader that takes all and goes is none") {
  PipeEnds pipe;
  StreamWriter writer(pipe.writer, Zeros::kWritten);
  REQUIRE(write(writer, Bytes(1000)));
  Bytes buffer(1000);
  REQUIRE(::read(pipe.reader.get(), buffer.data(), buffer.size()) == 1000);
  pipe.reader.reset();
  CHECK(writer.finish());
}

TEST_CASE_METHOD(Fixture, "whoever waits for a reader that does not read can be stopped") {
  CancelToken cancel;
  const test::HangGuard guard;
  std::thread stopper([&, waiting = test::this_thread()] {
    test::until_asleep(waiting);
    cancel.request(15);
  });
  Result<void> stopped;
  SECTION("a pipe") {
    PipeEnds pipe;
    StreamWriter writer(pipe.writer, Zeros::kWritten, &cancel);
    const int what = GENERATE(0, 1, 2, 3);
    if (what == 0) stopped = write(writer, Bytes(16 << 20));
    if (what == 1) stopped = writer.write_zeros(std::uint64_t{1} << 40);
    if (what == 2) stopped = writer.copy(source, {0, data.size()});
    if (what == 3 && write(writer, Bytes(10))) stopped = writer.finish();
  }
  SECTION("a socket") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const io::Fd reader(ends[0]);
    io::File out = io::File::adopt(io::Fd(ends[1]), "(socket)");
    StreamWriter writer(out, Zeros::kWritten, &cancel);
    const int what = GENERATE(0, 1, 2);
    if (what == 0) stopped = write(writer, Bytes(16 << 20));
    if (what == 1) stopped = writer.write_zeros(std::uint64_t{1} << 40);
    if (what == 2) stopped = writer.copy(source, {0, data.size()});
  }
  stopper.join();
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace shunt::streams
