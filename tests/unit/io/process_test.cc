// A program that runs beside us.
#include "io/process.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "io/file.h"
#include "support/catch.h"
#include "support/pipe_ends.h"

namespace shunt::io {
namespace {

ExitStatus status_of(ProcessOptions options) {
  auto process = Process::start(std::move(options));
  REQUIRE(process);
  const auto status = process->wait(20'000);
  REQUIRE(status);
  return status->value_or(-1);
}

ProcessOptions script(const std::string& text) {
  return {.arguments = {"sh", "-c", text}};
}

TEST_CASE("a program is looked for, and has its arguments as they are") {
  CHECK(status_of({.arguments = {"sh", "-c", "[ \"$1\" = 'a \"$b' ]", "sh", "a \"$b"}}) == 0);
  const auto none = Process::start({.arguments = {"no-program-of-that-name"}});
  REQUIRE_FALSE(none);
  CHECK(none.error().system_errno == ENOENT);
  CHECK(none.error().path == "no-program-of-that-name");
}

TEST_CASE("a program has our environment, or the one that it is given") {
  ::setenv("SHUNT_TEST", "ours", 1);
  ProcessOptions options = script("[ \"$SHUNT_TEST\" = ours ]");
  CHECK(status_of(options) == 0);
  options = script("[ -z \"$SHUNT_TEST\" ] && [ \"$other\" = 'a b' ]");
  options.environment = {"other=a b"};
  CHECK(status_of(options) == 0);
  ::unsetenv("SHUNT_TEST");
}

TEST_CASE("a program reads and writes what it is given") {
  test::PipeEnds in;
  test::PipeEnds out;
  ProcessOptions options = script("read line; echo \"<$line>\"");
  options.input = in.reader.get();
  options.output = out.writer.fd();
  auto process = Process::start(options);
  REQUIRE(process);
  REQUIRE(in.writer.write_next(std::as_bytes(std::span("said\n", 5))));
  CHECK(process->wait(20'000).value() == 0);
  std::string answer(20, '\0');
  answer.resize(static_cast<std::size_t>(::read(out.reader.get(), answer.data(), answer.size())));
  CHECK(answer == "<said>\n");
}

TEST_CASE("a program is reached by signals that are blocked here") {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  auto process = Process::start({.arguments = {"sleep", "100"}});
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  REQUIRE(process);
  process->send(SIGTERM);
  CHECK(process->wait(20'000).value() == 128 + SIGTERM);
}

}  // namespace
}  // namespace shunt::io
