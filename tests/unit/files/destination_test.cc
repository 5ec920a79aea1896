// Where a stream goes.
#include "shunt/files/destination.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "support/catch.h"
#include "support/temp_dir.h"
#include "support/waiting.h"

namespace {

using namespace shunt;
using files::Destination;
namespace fs = std::filesystem;

const CancelToken kNever;

Result<void> put(Destination& out, const std::string& text) {
  return out.file().write_next(std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("a new file is there after the commit, and not before") {
  test::TempDir dir;
  const std::string path = dir.file("out");
  {
    auto out = Destination::open(path, {}, kNever);
    REQUIRE(out);
    REQUIRE(put(*out, "all"));
    CHECK_FALSE(fs::exists(path));
    REQUIRE(out->commit());
  }
  CHECK(test::content(path) == "all");
  // The one that is there stays, unless it may go.
  CHECK_FALSE(Destination::open(path, {}, kNever));
  {
    auto out = Destination::open(path, {.force = true}, kNever);
    REQUIRE(out);
    REQUIRE(put(*out, "new"));
    CHECK(test::content(path) == "all");
  }
  CHECK(test::content(path) == "all");  // not committed
  {
    auto out = Destination::open(path, {.force = true}, kNever);
    REQUIRE(out);
    REQUIRE(put(*out, "new"));
    REQUIRE(out->commit());
  }
  CHECK(test::content(path) == "new");
  CHECK(std::distance(fs::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("a file that came meanwhile is left alone") {
  test::TempDir dir;
  auto out = Destination::open(dir.file("out"), {}, kNever);
  REQUIRE(out);
  std::ofstream(dir.file("out")) << "theirs";
  CHECK_FALSE(out->commit());
  CHECK(test::content(dir.file("out")) == "theirs");
}

TEST_CASE("through a symbolic link, what it leads to is replaced and not the link") {
  test::TempDir dir;
  std::ofstream(dir.file("target")) << "old";
  fs::create_symlink("target", dir.file("link"));
  CHECK_FALSE(Destination::open(dir.file("link"), {}, kNever));
  auto out = Destination::open(dir.file("link"), {.force = true}, kNever);
  REQUIRE(out);
  REQUIRE(put(*out, "new"));
  REQUIRE(out->commit());
  CHECK(fs::is_symlink(dir.file("link")));
  CHECK(test::content(dir.file("target")) == "new");
}

TEST_CASE("a FIFO of our own goes away with the object, wherever that was moved") {
  test::TempDir dir;
  const std::string path = dir.file("fifo");
  std::string got;
  std::thread reader([&] {
    while (!fs::exists(path)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    got = test::content(path);
  });
  {
    auto opened = Destination::open(path, {.mkfifo = true}, kNever);
    REQUIRE(opened);
    Destination out = std::move(*opened);
    CHECK(fs::is_fifo(path));
    REQUIRE(put(out, "all"));
    REQUIRE(out.commit());
    CHECK(fs::is_fifo(path));
  }
  reader.join();
  CHECK(got == "all");
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("--mkfifo takes no name that is there") {
  test::TempDir dir;
  std::ofstream(dir.file("out")) << "theirs";
  const auto out = Destination::open(dir.file("out"), {.force = true, .mkfifo = true}, kNever);
  REQUIRE_FALSE(out);
  CHECK(out.error().system_errno == EEXIST);
  CHECK(test::content(dir.file("out")) == "theirs");
}

TEST_CASE("who waits for the reader of a FIFO can be stopped, and takes the FIFO away") {
  test::TempDir dir;
  CancelToken cancel;
  cancel.request(15);
  const auto out = Destination::open(dir.file("fifo"), {.mkfifo = true}, cancel);
  REQUIRE_FALSE(out);
  CHECK(out.error().code == ErrorCode::kInterrupted);
  CHECK_FALSE(fs::exists(dir.file("fifo")));
}

TEST_CASE("a socket has no reader to be waited for") {
  test::TempDir dir;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  dir.file("socket").copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  const io::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CancelToken cancel;
  const test::HangGuard guard([&] { cancel.request(15); });
  const auto out = Destination::open(dir.file("socket"), {}, cancel);
  REQUIRE_FALSE(out);
  CHECK(out.error().system_errno == ENXIO);
}

TEST_CASE("a wait for the reader of a stream ends when asked to stop") {
  const test::TempDir dir;
  REQUIRE(::mkfifo(dir.file("fifo").c_str(), 0600) == 0);
  const io::Fd reader(::open(dir.file("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  CancelToken cancel;
  auto out = files::open_stream(dir.file("fifo"), cancel);
  REQUIRE(out);
  cancel.request(15);
  const std::vector<std::byte> more(std::size_t{1} << 20);  // than the pipe holds
  const auto written = out->write_next(more);
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::kInterrupted);
}

TEST_CASE("a descriptor that is open for reading alone is no output") {
  const io::Fd in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto out = files::open_stream("/dev/fd/" + std::to_string(in.get()), kNever);
  REQUIRE_FALSE(out);
  CHECK(out.error().system_errno == EBADF);
}

TEST_CASE("a terminal gets no binary data") {
  const io::Fd terminal(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.valid()) return;
  const auto out = files::open_stream("/dev/fd/" + std::to_string(terminal.get()), kNever);
  REQUIRE_FALSE(out);
  CHECK(out.error().code == ErrorCode::kUsage);
}
