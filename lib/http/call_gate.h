// Guards callbacks to an object that may go away: closing the gate waits for a running call. No
// lock is held during a call.
#pragma once

#include <atomic>
#include <thread>

#include "shunt/base/mutex.h"

namespace shunt::http {

// pass() is called by one thread at a time, which owns the calls; the other functions are
// thread-safe.
class CallGate {
 public:
  CallGate() = default;
  CallGate(const CallGate&) = delete;
  CallGate& operator=(const CallGate&) = delete;

  // Runs `call`, which may throw. Returns false, without running it, if the gate is closed.
  template <typename Call>
  bool pass(Call call) SHUNT_EXCLUDES(mutex_) {
    if (!enter()) return false;
    const Leaving leaving(*this);
    call();
    return true;
  }

  // On return no call is running and none will start. Called within a call, it returns at once.
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
    // Notifies with the lock held: a waiter may destroy the gate right afterwards.
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

  std::atomic<bool> closed_{false};  // set with the mutex held: no call starts after close()
  Mutex mutex_;
  ConditionVariable left_;
  std::thread::id caller_ SHUNT_GUARDED_BY(mutex_);  // the thread that is within a call
};

}  // namespace shunt::http
