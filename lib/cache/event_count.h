// Counts events, and wakes threads that wait for the next one. A thread that calls count(), then
// checks what it needs, then waits, misses no event in between. No other lock has to be held to
// report one.
#pragma once

#include <chrono>
#include <cstdint>

#include "shunt/base/mutex.h"

namespace shunt::cache {

// Thread-safe. No other mutex is taken while its own is held.
class EventCount {
 public:
  // Returns the number of events so far.
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
  // Waits until there have been more than `seen` events, or until `limit` is over.
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
