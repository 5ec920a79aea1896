// A program that runs beside us.
#include "shunt/process/process.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include "shunt/io/file.h"
#include "shunt/process/signals.h"
#include "support/catch.h"
#include "support/pipe_ends.h"

namespace shunt::process {
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

TEST_CASE("a program has the signals that are ignored here as they are at first") {
  std::array<struct sigaction, kSelfInflicted.size()> before{};
  for (std::size_t i = 0; i < before.size(); ++i) {
    ::sigaction(kSelfInflicted[i], nullptr, &before[i]);
  }
  ignore_self_inflicted();
  std::string tries;
  for (const int signal : kSelfInflicted) {
    // Each one ends or stops a program that has it as it is at first.
    const std::string number = std::to_string(signal);
    tries += signal == SIGTTOU
                 ? ""
                 : "sh -c 'kill -" + number + " $$; exit 99'; [ $? != 99 ] || exit 1;";
  }
  CHECK(status_of(script(tries)) == 0);
  CHECK(status_of(script("kill -XFSZ $$")) == 128 + SIGXFSZ);
  for (std::size_t i = 0; i < before.size(); ++i) {
    ::sigaction(kSelfInflicted[i], &before[i], nullptr);
  }
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

TEST_CASE("a program that dies with us is started as others are") {
  ::setenv("SHUNT_TEST", "ours", 1);
  ProcessOptions options = {.arguments = {"/bin/sh", "-c", "[ \"$SHUNT_TEST\" = ours ] && exit 3"},
                            .dies_with_us = true};
  CHECK(status_of(options) == 3);
  ::unsetenv("SHUNT_TEST");
  test::PipeEnds in;
  test::PipeEnds out;
  options.arguments[2] = "read line; echo \"<$line>\"; kill -PIPE $$";
  options.input = in.reader.get();
  options.output = out.writer.fd();
  options.own_group = true;
  auto process = Process::start(options);
  REQUIRE(process);
  CHECK(::getpgid(process->id()) == process->id());
  REQUIRE(in.writer.write_next(std::as_bytes(std::span("said\n", 5))));
  CHECK(process->wait(20'000).value() == 128 + SIGPIPE);
  std::string answer(20, '\0');
  answer.resize(static_cast<std::size_t>(::read(out.reader.get(), answer.data(), answer.size())));
  CHECK(answer == "<said>\n");
  options.arguments = {"/no/program/of/that/name"};
  const auto none = Process::start(options);
  REQUIRE_FALSE(none);
  CHECK(none.error().system_errno == ENOENT);
}

TEST_CASE("a program that dies with us is killed with the thread that started it") {
  std::optional<Process> process;
  std::thread starting([&] {
    auto started =
        Process::start({.arguments = {"/bin/sh", "-c", "exec sleep 100"}, .dies_with_us = true});
    if (started) process.emplace(std::move(*started));
  });
  starting.join();
  REQUIRE(process);
  CHECK(process->wait(20'000).value() == 128 + SIGKILL);
}

}  // namespace
}  // namespace shunt::process
