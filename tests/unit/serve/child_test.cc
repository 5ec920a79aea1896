// A command that runs beside us.
#include "shunt/serve/child.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "shunt/io/fd.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace {

using namespace shunt;
using serve::Child;
using serve::ChildOutput;

int status_of(const std::string& command) {
  auto child = Child::start(command, {}, ChildOutput::kAsOurs);
  REQUIRE(child);
  const auto status = child->wait(20'000);
  REQUIRE(status);
  return status->value_or(-1);
}

}  // namespace

TEST_CASE("a command's status is that of a shell") {
  CHECK(status_of("exit 0") == 0);
  CHECK(status_of("exit 42") == 42);
  CHECK(status_of("kill -KILL $$") == 128 + SIGKILL);
  CHECK(status_of("/nowhere/at/all 2>/dev/null") == 127);
}

TEST_CASE("a command's status is known also where the end of children is ignored") {
  std::signal(SIGCHLD, SIG_IGN);
  CHECK(status_of("exit 3") == 3);
  std::signal(SIGCHLD, SIG_DFL);
}

TEST_CASE("a command has our environment, and the variables that it is given") {
  test::TempDir dir;
  ::setenv("kept", "ours", 1);
  ::setenv("size", "ours", 1);
  auto child = Child::start("echo \"$kept $size $uri\" >'" + dir.file("said") + "'",
                            {{"size", "5 MiB"}, {"uri", "a b"}}, ChildOutput::kAsOurs);
  REQUIRE(child);
  REQUIRE(child->wait(20'000).value() == 0);
  CHECK(test::content(dir.file("said")) == "ours 5 MiB a b\n");
}

TEST_CASE("a pipe without a reader ends a command, though it does not end us") {
  std::signal(SIGPIPE, SIG_IGN);
  test::TempDir dir;
  CHECK(status_of("(sh -c 'kill -PIPE $$'; echo $? >'" + dir.file("said") + "')") == 0);
  CHECK(test::content(dir.file("said")) == "141\n");
}

TEST_CASE("a command that runs is no end, gets signals, and does not outlive the object") {
  test::TempDir dir;
  pid_t pid = 0;
  {
    auto child = Child::start("echo $$ >'" + dir.file("pid") + "'; exec sleep 100", {},
                              ChildOutput::kAsOurs);
    REQUIRE(child);
    CHECK_FALSE(child->wait(50).value());
    SECTION("a signal") {
      child->send(SIGTERM);
      CHECK(child->wait(20'000).value() == 128 + SIGTERM);
      child->send(SIGTERM);  // to nobody
    }
    SECTION("the end of the object") {}
    std::ifstream(dir.file("pid")) >> pid;
  }
  REQUIRE(pid > 0);
  CHECK(::kill(pid, 0) != 0);
}

TEST_CASE("a signal reaches all that a command has started, and nothing does once it has ended") {
  // In the foreground of a terminal that is the terminal's matter; tests/cli has both.
  const io::Fd terminal(::open("/dev/tty", O_RDONLY | O_CLOEXEC));
  if (terminal.valid() && ::tcgetpgrp(terminal.get()) == ::getpgrp()) return;
  test::TempDir dir;
  const auto pid_in = [&](const char* name) {
    pid_t pid = 0;
    for (int i = 0; i < 1000 && pid == 0; ++i) {
      std::ifstream(dir.file(name)) >> pid;
      ::usleep(10'000);
    }
    return pid;
  };
  const auto runs = [](pid_t pid) {
    for (int i = 0; i < 200 && ::kill(pid, 0) == 0; ++i) ::usleep(10'000);
    return ::kill(pid, 0) == 0;
  };
  const std::string sleeper = "sh -c 'echo $$ >\"" + dir.file("pid") + "\"; exec sleep 100'";
  SECTION("one in a pipeline") {
    auto child = Child::start(sleeper + " | cat", {}, ChildOutput::kAsOurs);
    REQUIRE(child);
    const pid_t pid = pid_in("pid");
    REQUIRE(pid > 0);
    child->send(SIGTERM);
    CHECK(child->wait(20'000).value() == 128 + SIGTERM);
    CHECK_FALSE(runs(pid));
  }
  SECTION("one that is left behind") {
    pid_t pid = 0;
    {
      auto child = Child::start(sleeper + " & until [ -s '" + dir.file("pid") + "' ]; do :; done",
                                {}, ChildOutput::kAsOurs);
      REQUIRE(child);
      CHECK(child->wait(20'000).value() == 0);
      pid = pid_in("pid");
      REQUIRE(pid > 0);
      child->send(SIGKILL);
    }
    ::usleep(50'000);
    CHECK(::kill(pid, SIGKILL) == 0);
  }
}

TEST_CASE("a command that is longer than any may be does not start") {
  const auto child = Child::start(std::string(std::size_t{4} << 20, ':'), {}, ChildOutput::kAsOurs);
  REQUIRE_FALSE(child);
  CHECK(child.error().system_errno == E2BIG);
}
