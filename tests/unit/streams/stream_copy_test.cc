#include "shunt/streams/stream_copy.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <random>
#include <string>
#include <thread>

#include "shunt/io/kernel.h"
#include "support/catch.h"
#include "support/temp_dir.h"
#include "support/waiting.h"

namespace shunt::streams {
namespace {

// Counts by which call bytes were moved, and can decline one.
class CountingKernel final : public io::Kernel {
 public:
  int splices = 0;
  int sendfiles = 0;
  int copies = 0;
  int writes = 0;
  int declined = 0;  // errno of all but write; 0: none

  ssize_t splice(int from, off_t* at, int to, std::size_t size) override {
    ++splices;
    return declined != 0 ? fail() : io::Kernel::splice(from, at, to, size);
  }
  ssize_t sendfile(int to, int from, off_t* at, std::size_t size) override {
    ++sendfiles;
    return declined != 0 ? fail() : io::Kernel::sendfile(to, from, at, size);
  }
  ssize_t copy_file_range(int from, off_t* from_at, int to, off_t* to_at,
                          std::size_t size) override {
    ++copies;
    return declined != 0 ? fail() : io::Kernel::copy_file_range(from, from_at, to, to_at, size);
  }
  ssize_t write(int fd, const void* data, std::size_t size) override {
    ++writes;
    return io::Kernel::write(fd, data, size);
  }

 private:
  ssize_t fail() const {
    errno = declined;
    return -1;
  }
};

struct Fixture {
  test::TempDir dir;
  std::string bytes;
  io::File source;

  Fixture() : bytes(3'000'001, '\0') {
    std::mt19937 random(1);
    for (char& c : bytes) c = static_cast<char>(random());
    source = io::File::create(dir.file("source")).value();
    REQUIRE(source.write_at(0, std::as_bytes(std::span(bytes))));
  }

  [[nodiscard]] std::string expected() const {
    return bytes.substr(5, 2'000'000) + bytes.substr(0, 7);
  }

  Result<void> append(StreamCopy& copy, ByteRange range) { return copy.append(source, range); }

  // Copies two ranges into `out` while another thread reads the other end.
  std::string through(io::Fd out, int other_end) {
    std::string got;
    std::thread reader([&] {
      char buffer[65536];
      for (ssize_t n = 0; (n = ::read(other_end, buffer, sizeof buffer)) > 0;) {
        got.append(buffer, static_cast<std::size_t>(n));
      }
      ::close(other_end);
    });
    {
      io::File stream = io::File::adopt(std::move(out), "stream");
      StreamCopy copy(stream);
      CHECK(append(copy, {5, 2'000'005}));
      CHECK(append(copy, {0, 7}));
    }
    reader.join();
    return got;
  }
};

TEST_CASE_METHOD(Fixture, "a pipe gets the pages of the file, not a copy") {
  CountingKernel kernel;
  const io::KernelOverride installed(&kernel);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  CHECK(through(io::Fd(ends[1]), ends[0]) == expected());
  CHECK(kernel.splices > 0);
  CHECK(kernel.writes == 0);
}

TEST_CASE_METHOD(Fixture, "a pipe that does not wait is waited for") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
  CHECK(through(io::Fd(ends[1]), ends[0]) == expected());
}

TEST_CASE_METHOD(Fixture, "a socket is served by sendfile") {
  CountingKernel kernel;
  const io::KernelOverride installed(&kernel);
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK(through(io::Fd(ends[1]), ends[0]) == expected());
  CHECK(kernel.sendfiles > 0);
  CHECK(kernel.writes == 0);
}

TEST_CASE_METHOD(Fixture, "a regular file is copied within the kernel, from where it stands") {
  CountingKernel kernel;
  const io::KernelOverride installed(&kernel);
  const int flags = GENERATE(0, O_APPEND);
  const std::string path = dir.file("out");
  {
    io::File out =
        io::File::adopt(io::Fd(::open(path.c_str(), O_CREAT | O_RDWR | flags, 0600)), path);
    REQUIRE(out.write_next(std::as_bytes(std::span("abc", 3))));
    kernel.writes = 0;
    StreamCopy copy(out);
    CHECK(append(copy, {5, 2'000'005}));
    CHECK(append(copy, {0, 7}));
  }
  io::File out = io::File::open_to_read(path).value();
  std::string got(out.size().value(), '\0');
  REQUIRE(out.read_at(0, std::as_writable_bytes(std::span(got))));
  CHECK(got == "abc" + expected());
  // The kernel declines for a file that is only appended to.
  CHECK((kernel.writes == 0) == (flags == 0));
}

TEST_CASE_METHOD(Fixture, "what the kernel declines goes through a buffer") {
  CountingKernel kernel;
  kernel.declined = GENERATE(EINVAL, EXDEV, EOPNOTSUPP);
  const io::KernelOverride installed(&kernel);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  CHECK(through(io::Fd(ends[1]), ends[0]) == expected());
  CHECK(kernel.splices == 1);
  CHECK(kernel.writes > 0);
}

TEST_CASE_METHOD(Fixture, "a reader that does not read can be given up") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const io::Fd unread(ends[0]);
  io::File stream = io::File::adopt(io::Fd(ends[1]), "stream");
  CancelToken cancel;
  StreamCopy copy(stream, &cancel);
  std::thread impatient([&, waiting = test::this_thread()] {
    test::until_asleep(waiting);
    cancel.request(SIGTERM);
  });
  ByteRange range{0, 3'000'001};
  const Result<void> given_up = copy.append(source, range);
  impatient.join();
  REQUIRE_FALSE(given_up);
  CHECK(given_up.error().code == ErrorCode::kInterrupted);
  CHECK(range.begin > 0);
  CHECK(range.begin < range.end);
}

TEST_CASE_METHOD(Fixture, "a reader that has gone, and a file that ends early, are errors") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  io::File stream = io::File::adopt(io::Fd(ends[1]), "stream");
  StreamCopy copy(stream);
  CHECK(append(copy, {3'000'000, 3'000'002}).error().code == ErrorCode::kCorrupt);
  ::signal(SIGPIPE, SIG_IGN);  // as the program has it
  ::close(ends[0]);
  const Result<void> broken = append(copy, {0, 10});
  REQUIRE_FALSE(broken);
  CHECK(broken.error().system_errno == EPIPE);
}

}  // namespace
}  // namespace shunt::streams
