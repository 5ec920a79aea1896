// One run: where it listens, and what becomes of it.
#include "sink/session.h"

#include <csignal>
#include <filesystem>
#include <thread>

#include "support/catch.h"
#include "support/pipe_ends.h"
#include "support/reading_pipe.h"
#include "support/temp_dir.h"

namespace {

using namespace shunt;
using sink::Address;
using sink::Destination;
using sink::parse_address;
using sink::SessionOptions;

const CancelToken kNever;

}  // namespace

TEST_CASE("addresses") {
  const auto kind = [](std::string_view text) { return parse_address(text).value().kind; };
  CHECK(kind("fd") == Address::Kind::kInherited);
  CHECK(kind("unix:a") == Address::Kind::kUnix);
  CHECK(parse_address("unix:/a b:c")->path == "/a b:c");
  const Address address = parse_address("tcp:localhost:10809").value();
  CHECK(address.kind == Address::Kind::kTcp);
  CHECK(address.host == "localhost");
  CHECK(address.port == 10809);
  CHECK(parse_address("tcp:[::1]:0")->host == "::1");
  CHECK(parse_address("tcp:h:65535")->port == 65535);
  for (const char* const text :
       {"", "unix:", "unix", "tcp:", "tcp::", "tcp:host", "tcp:host:", "tcp::5", "tcp:[]:5",
        "tcp:host:65536", "tcp:host:-1", "tcp:host:+1", "tcp:host:0x1", "tcp:host: 1", "fd:3", "3",
        "udp:host:1"}) {
    CAPTURE(text);
    const auto refused = parse_address(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kUsage);
  }
}

TEST_CASE("a command that cannot be started is the error, and nothing is left") {
  test::TempDir dir;
  auto out = Destination::open(dir.file("out"), {}, kNever);
  REQUIRE(out);
  SessionOptions options;
  options.disk.size = 1 << 20;
  options.address = {Address::Kind::kUnix, dir.file("socket"), "", 0};
  options.command = std::string(std::size_t{4} << 20, ':');
  const auto report = sink::run_session(options, *out);
  REQUIRE(report.error);
  CHECK(report.error->system_errno == E2BIG);
  CHECK_FALSE(report.command_status);
  CHECK_FALSE(std::filesystem::exists(dir.file("socket")));
  CHECK_FALSE(std::filesystem::exists(dir.file("out")));
}

TEST_CASE("a second request gives the stream up, also when it comes before the first is seen") {
  std::signal(SIGPIPE, SIG_IGN);
  test::PipeEnds pipe;
  Destination out(std::move(pipe.writer));
  test::TempDir dir;
  CancelToken cancel;
  SessionOptions options;
  options.disk.size = 64 << 20;
  options.address = {Address::Kind::kUnix, dir.file("socket"), "", 0};
  options.cancel = &cancel;
  cancel.request(2);
  cancel.request(2);
  std::thread guard([&] {  // it fails rather than hangs
    std::this_thread::sleep_for(std::chrono::seconds(4));
    cancel.request(2);
  });
  const auto report = sink::run_session(options, out);
  guard.join();
  REQUIRE(report.error);
  CHECK(report.error->code == ErrorCode::kInterrupted);
  CHECK(report.seconds < 3);
}

TEST_CASE("the first request is the end of the stream, not of its bytes") {
  test::ReadingPipe pipe;
  Destination out(io::File::adopt(io::Fd(::dup(pipe.in().fd())), "(pipe)"));
  test::TempDir dir;
  CancelToken cancel;
  SessionOptions options;
  options.disk.size = (64 << 20) + 5;
  options.address = {Address::Kind::kUnix, dir.file("socket"), "", 0};
  options.cancel = &cancel;
  cancel.request(2);
  CHECK_FALSE(sink::run_session(options, out).error);
  CHECK(pipe.all().size() == options.disk.size);
}
