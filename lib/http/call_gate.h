// Calls back to somebody who may go away: while one runs, whoever closes the gate waits for its
// end. No lock is held meanwhile.
#pragma once

#include <atomic>
#include <thread>

#include "shunt/base/mutex.h"

namespace shunt::http {

// pass() is called by one thread at a time, the one that owns the calls; the rest from any.
class CallGate {
 public:
  CallGate() = default;
  CallGate(const CallGate&) = delete;
  CallGate& operator=(const CallGate&) = delete;

  // Runs `call`, which may throw. False, and it does not: the gate is closed.
  template <typename Call>
  bool pass(Call call) SHUNT_EXCLUDES(mutex_) {
    if (!enter()) return false;
    const Leaving leaving(*this);
    call();
    return true;
  }

  // Once it has returned, no call runs or comes; from within one it returns at once.
  void close() SHUNT_EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    closed_.store(true, std::memory_order_release);
    if (caller_ == std::this_thread::get_id()) return;
    left_.wait(mutex_, [this]() SHUNT_REQUIRES(mutex_) { return caller_ == std::thread::id(); });
  }
  [[nodiscard]] bool closed() const { return closed_.load(std::memory_order_acquire); }

 private:
  class Leaving {
   public:
    explicit Leaving(CallGate& gate) : gate_(gate) {}
    // With the lock to the end: who waits may take the gate away right after.
    ~Leaving() {
      const Lock lock(gate_.mutex_);
      gate_.caller_ = {};
      gate_.left_.notify_all();
    }
    Leaving(const Leaving&) = delete;
    Leaving& operator=(const Leaving&) = delete;

   private:
    CallGate& gate_;
  };

  bool enter() SHUNT_EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    if (closed()) return false;
    caller_ = std::this_thread::get_id();
    return true;
  }

  std::atomic<bool> closed_{false};  // set under the mutex, so that nobody enters after close()
  Mutex mutex_;
  ConditionVariable left_;
  std::thread::id caller_ SHUNT_GUARDED_BY(mutex_);  // who is within a call
};

}  // namespace shunt::http
