// For how long somebody else is waited for, by asking again and again.
//
// No call of the system that waits for a lock can be ended by a signal that only asks to stop, nor
// by a clock: another process may have been stopped while it had the lock.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/base/waiting.h"

namespace shunt::io {

// For one thread and one wait, which begins when this is made.
class Patience {
 public:
  // `what` is what is waited for, a path, for the log and for the error. `cancel` may be null.
  Patience(std::chrono::milliseconds limit, const CancelToken* cancel, std::string what);

  // Sleeps for a moment, longer each time, up to 10 ms. An error instead when that is enough: kBusy
  // at the limit, kInterrupted once a stop has been asked for.
  Result<void> pause();

  // The error at the limit.
  [[nodiscard]] Error over() const;

 private:
  using Clock = std::chrono::steady_clock;

  const std::chrono::milliseconds limit_;
  const CancelToken* const cancel_;
  const std::string what_;
  const Clock::time_point began_ = Clock::now();
  std::chrono::microseconds next_{20};
  std::optional<Waiting> told_;
};

}  // namespace shunt::io
