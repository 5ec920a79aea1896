// Waiting for locks that others hold: for so long, and no longer than the user wants.
#include "shunt/files/lock.h"

#include <signal.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "shunt/io/patience.h"
#include "support/catch.h"
#include "support/temp_dir.h"
#include "support/waiting.h"

namespace shunt::files {
namespace {

using namespace std::chrono_literals;

constexpr ByteRange kPlace{4096, 4160};

struct Held {
  test::TempDir directory;
  std::string path = directory.file("file");
  io::File holder = io::File::create(path).value();
  io::File other = io::File::open_to_change(path).value();
  Held() { REQUIRE(try_lock_range(holder, kPlace).value().empty()); }
};

TEST_CASE(
    "lock: a range that another has is waited for up to a limit, and the error names the file") {
  const Held f;
  const Result<void> locked = lock_range(f.other, kPlace, 30ms, nullptr);
  REQUIRE_FALSE(locked);
  CHECK(locked.error().code == ErrorCode::kBusy);
  CHECK(locked.error().path == f.path);
  CHECK(locked.error().reason.find("0.03 s") != std::string::npos);
  CHECK_FALSE(locked.error().hint.empty());
  // What lies beside it is free.
  CHECK(lock_range(f.other, {0, 4096}, 0ms, nullptr));
}

TEST_CASE("lock: whoever has the file locked for a moment is not in the way") {
  const test::TempDir directory;
  const std::string path = directory.file("file");
  const io::File looking = io::File::create(path).value();
  const io::File other = io::File::open_to_change(path).value();
  // Locked for a moment, again and again.
  std::atomic<bool> over = false;
  std::thread looks([&] {
    while (!over) {
      if (try_lock(looking, LockKind::kExclusive) != LockOutcome::kTaken) continue;
      std::this_thread::sleep_for(500us);
      unlock(looking);
      std::this_thread::sleep_for(1ms);
    }
  });
  int failed = 0;
  for (int i = 0; i < 20; ++i) {
    if (!lock_exclusive(other)) ++failed;
    unlock(other);
    std::this_thread::sleep_for(300us);
  }
  over = true;
  looks.join();
  CHECK(failed == 0);
}

TEST_CASE("lock: a wait for a range ends when the user says stop") {
  const Held f;
  CancelToken cancel;
  std::thread user([&, waiting = test::this_thread()] {
    test::until_asleep(waiting);
    cancel.request(SIGINT);
  });
  const Result<void> locked = lock_range(f.other, kPlace, std::chrono::hours(1), &cancel);
  user.join();
  REQUIRE_FALSE(locked);
  CHECK(locked.error().code == ErrorCode::kInterrupted);
}

TEST_CASE("lock: a range is locked as soon as the other lets go") {
  Held f;
  std::thread holder([&, waiting = test::this_thread()] {
    test::until_asleep(waiting);
    unlock_range(f.holder, kPlace);
  });
  CHECK(lock_range(f.other, kPlace, std::chrono::hours(1), nullptr));
  holder.join();
  CHECK_FALSE(try_lock_range(f.holder, kPlace).value().empty());
}

}  // namespace
}  // namespace shunt::files
