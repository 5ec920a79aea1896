#include "shunt/io/thread.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <stdexcept>

#include "support/catch.h"
#include "support/waiting.h"

namespace shunt::io {
namespace {

TEST_CASE("a thread ends with what its work returned") {
  auto good = Thread::start([]() -> Result<void> { return {}; });
  REQUIRE(good);
  CHECK(good->joinable());
  CHECK_FALSE(good->is_current());
  CHECK(good->join());
  CHECK_FALSE(good->joinable());
  CHECK(good->join());

  auto bad = Thread::start([]() -> Result<void> { return usage("no"); });
  REQUIRE(bad);
  const auto outcome = bad->join();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().reason == "no");
}

TEST_CASE("memory exhausted in a thread is an error of the thread") {
  // Not by asking for too much, for which a sanitizer ends the process.
  auto thread = Thread::start([]() -> Result<void> { throw std::bad_alloc(); });
  REQUIRE(thread);
  const auto outcome = thread->join();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::kLocalIo);
  CHECK(outcome.error().reason == "out of memory");
  CHECK(outcome.error().system_errno == ENOMEM);
}

TEST_CASE("whatever a thread throws is an error of the thread") {
  auto thread = Thread::start([]() -> Result<void> { throw std::runtime_error("a mistake"); });
  REQUIRE(thread);
  const auto outcome = thread->join();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::kFailed);
  CHECK(outcome.error().reason == "a mistake");

  auto other = Thread::start([]() -> Result<void> { throw 7; });
  REQUIRE(other);
  CHECK_FALSE(other->join());
}

TEST_CASE("a thread is joined before it goes") {
  std::atomic<bool> done{false};
  {
    auto thread = Thread::start([&, joining = test::this_thread()]() -> Result<void> {
      test::until_asleep(joining);
      done = true;
      return {};
    });
    REQUIRE(thread);
    Thread moved = std::move(*thread);
    CHECK(moved.joinable());
  }
  CHECK(done);
}

// In a process of its own, as the limit is for all of a process.
TEST_CASE("where there is no room for another thread, that is an error") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit none{0, 0};
    if (::setresuid(65533, 65533, 65533) != 0 || ::setrlimit(RLIMIT_NPROC, &none) != 0) ::_exit(2);
    const auto thread = Thread::start([]() -> Result<void> { return {}; });
    const bool right = !thread && thread.error().code == ErrorCode::kLocalIo &&
                       thread.error().operation == "start a thread" &&
                       thread.error().system_errno == EAGAIN;
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) return;  // needs root
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace shunt::io
