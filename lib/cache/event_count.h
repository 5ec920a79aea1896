// Tells threads that something has happened, so that they look again. Nobody who asks count(), then
// looks, then waits misses an event in between, and no other lock is held while one is told.
#pragma once

#include <chrono>
#include <cstdint>

#include "shunt/base/mutex.h"

namespace shunt::cache {

// Thread-safe. Its lock is never held while another one is taken.
class EventCount {
 public:
  // How many events there have been.
  [[nodiscard]] std::uint64_t count() const {
    const Lock lock(mutex_);
    return count_;
  }
  void tell() {
    {
      const Lock lock(mutex_);
      ++count_;
    }
    told_.notify_all();
  }
  // Returns once there have been more than `seen` events, or after `limit`.
  void wait(std::uint64_t seen, std::chrono::nanoseconds limit) {
    const Lock lock(mutex_);
    told_.wait_for(mutex_, limit, [&]() SHUNT_REQUIRES(mutex_) { return count_ != seen; });
  }

 private:
  mutable Mutex mutex_;
  ConditionVariable told_;
  std::uint64_t count_ SHUNT_GUARDED_BY(mutex_) = 0;
};

}  // namespace shunt::cache
