// One run: where it listens, and what becomes of it.
#include "shunt/serve/session.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "support/catch.h"
#include "support/pipe_ends.h"
#include "support/reading_pipe.h"
#include "support/temp_dir.h"
#include "support/waiting.h"

namespace {

using namespace shunt;
using files::Destination;
using serve::Address;
using serve::SessionOptions;

const CancelToken kNotStopped;

}  // namespace

TEST_CASE("a command that cannot be started is the error, and nothing is left") {
  test::TempDir dir;
  auto out = Destination::open(dir.file("out"), {}, kNotStopped);
  REQUIRE(out);
  SessionOptions options;
  options.disk.size = 1 << 20;
  options.address = {Address::Kind::kUnix, dir.file("socket"), "", 0};
  options.command = std::string(std::size_t{4} << 20, ':');
  const auto report = serve::run_session(options, *out);
  REQUIRE(report.error);
  CHECK(report.error->system_errno == E2BIG);
  CHECK_FALSE(report.command_status);
  CHECK_FALSE(std::filesystem::exists(dir.file("socket")));
  CHECK_FALSE(std::filesystem::exists(dir.file("out")));
}

// A sanitizer looks at memory by means of a pipe, which cannot be made then.
#ifndef SHUNT_SANITIZED

TEST_CASE("a server that fails is the end, and the error") {
  test::TempDir dir;
  auto out = Destination::open(dir.file("out"), {}, kNotStopped);
  REQUIRE(out);
  CancelToken cancel;
  SessionOptions options;
  options.disk.size = 1 << 20;
  options.address = {Address::Kind::kUnix, dir.file("socket"), "", 0};
  options.until_disconnect = true;
  options.context.cancel = &cancel;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // poll(2) takes no more entries than there may be descriptors.
  options.listening = [&](const std::string&) {
    const rlimit few{1, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  };
  test::HangGuard guard([&] { cancel.request(2); });
  const auto report = serve::run_session(options, *out);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_FALSE(guard.end());
  REQUIRE(report.error);
  CHECK(report.error->operation == "poll");
  CHECK_FALSE(std::filesystem::exists(dir.file("out")));
}

#endif

TEST_CASE("a second request gives the stream up, also when it comes before the first is seen") {
  std::signal(SIGPIPE, SIG_IGN);
  test::PipeEnds pipe;
  Destination out(std::move(pipe.writer));
  test::TempDir dir;
  CancelToken cancel;
  SessionOptions options;
  options.disk.size = 64 << 20;
  options.address = {Address::Kind::kUnix, dir.file("socket"), "", 0};
  options.context.cancel = &cancel;
  options.allow_empty = true;
  cancel.request(2);
  cancel.request(2);
  test::HangGuard guard([&] { cancel.request(2); });
  const auto report = serve::run_session(options, out);
  CHECK_FALSE(guard.end());
  REQUIRE(report.error);
  CHECK(report.error->code == ErrorCode::kInterrupted);
}

TEST_CASE("a disk that nobody has written to is a failure, but one of no size is not") {
  test::TempDir dir;
  for (const std::uint64_t size : {std::uint64_t{1} << 20, std::uint64_t{0}}) {
    auto out = Destination::open(dir.file("out"), {}, kNotStopped);
    REQUIRE(out);
    SessionOptions options;
    options.disk.size = size;
    options.command = "true";
    const auto report = serve::run_session(options, *out);
    CHECK(report.error.has_value() == (size > 0));
    CHECK(std::filesystem::exists(dir.file("out")) == (size == 0));
  }
}

TEST_CASE("the first request is the end of the stream, not of its bytes") {
  test::ReadingPipe pipe;
  Destination out(io::File::adopt(io::Fd(::dup(pipe.in().fd())), "(pipe)"));
  test::TempDir dir;
  CancelToken cancel;
  SessionOptions options;
  options.disk.size = (64 << 20) + 5;
  options.address = {Address::Kind::kUnix, dir.file("socket"), "", 0};
  options.context.cancel = &cancel;
  options.allow_empty = true;
  cancel.request(2);
  CHECK_FALSE(serve::run_session(options, out).error);
  CHECK(pipe.all().size() == options.disk.size);
}
