// Waiting for what another thread does, without a time that is too short on a busy machine.
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace shunt::test {

// The number by which the kernel knows the calling thread.
inline pid_t this_thread() {
  return static_cast<pid_t>(::syscall(SYS_gettid));
}

// Waits until a thread of this process sleeps, or has ended. What it waits for must come later: it
// sleeps for short moments as well, and is asked twice.
inline void until_asleep(pid_t thread) {
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
  for (int asleep = 0; asleep < 2;) {
    std::string line;
    if (!std::getline(std::ifstream(path), line)) return;
    const std::size_t name_end = line.rfind(')');
    asleep = name_end + 2 < line.size() && line[name_end + 2] == 'S' ? asleep + 1 : 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Acts when it is still there after a minute: a test fails rather than hangs.
class HangGuard {
 public:
  // Ends the program.
  HangGuard()
      : HangGuard([] {
          static_cast<void>(std::fputs("a test hangs\n", stderr));
          std::abort();
        }) {}
  // `act` is called on another thread.
  explicit HangGuard(std::function<void()> act)
      : thread_([this, act = std::move(act)] {
          std::unique_lock lock(mutex_);
          if (changed_.wait_for(lock, std::chrono::minutes(1), [this] { return over_; })) return;
          acted_ = true;
          act();
        }) {}
  HangGuard(const HangGuard&) = delete;
  HangGuard& operator=(const HangGuard&) = delete;
  ~HangGuard() { static_cast<void>(end()); }

  // True if it came to that.
  bool end() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
    return acted_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  bool acted_ = false;
  std::thread thread_;  // uses all of the above
};

}  // namespace shunt::test
