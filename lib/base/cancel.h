// Asks long work to stop at its next safe point.
#pragma once

#include <atomic>

#include "shunt/base/result.h"

namespace shunt {

// Any thread, or a signal handler, may request a stop; the work checks between steps. After the
// first request it stops at a safe point and leaves the original or the result; after the second it
// stops as soon as nothing would be lost.
class CancelToken {
 public:
  void request(int signal_number) noexcept {
    signal_number_.store(signal_number, std::memory_order_relaxed);
    requests_.fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] bool requested() const noexcept { return requests() > 0; }
  [[nodiscard]] int requests() const noexcept { return requests_.load(std::memory_order_relaxed); }
  [[nodiscard]] int signal_number() const noexcept {
    return signal_number_.load(std::memory_order_relaxed);
  }
  // Returns kInterrupted once a stop has been requested.
  [[nodiscard]] Result<void> check() const;

 private:
  static_assert(std::atomic<int>::is_always_lock_free, "used from signal handlers");
  std::atomic<int> requests_{0};
  std::atomic<int> signal_number_{0};
};

// Same, for a token that may be null: then no stop is ever requested.
[[nodiscard]] inline Result<void> check_cancel(const CancelToken* cancel) {
  return cancel == nullptr ? Result<void>() : cancel->check();
}

}  // namespace shunt
