// Tells threads that something has happened, so that they look again. Nobody who asks count(), then
// looks, then waits misses an event in between, and no other lock is held while one is told.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace shunt::cache {

// Thread-safe. Its lock is never held while another one is taken.
class EventCount {
 public:
  // How many events there have been.
  [[nodiscard]] std::uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  void tell() {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    told_.notify_all();
  }
  // Returns once there have been more than `seen` events, or after `limit`.
  void wait(std::uint64_t seen, std::chrono::nanoseconds limit) {
    std::unique_lock lock(mutex_);
    told_.wait_for(lock, limit, [&] { return count_ != seen; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable told_;
  std::uint64_t count_ = 0;
};

}  // namespace shunt::cache
