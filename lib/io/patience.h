// Limits a wait that polls for something another process has to do.
//
// System calls that wait for a lock cannot be ended by a request to stop, nor by a clock; and
// another process may be stopped while it holds the lock.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/base/waiting.h"

namespace shunt::io {

// One thread and one wait, which begins with the constructor.
class Patience {
 public:
  // `what` is the path that is waited for, for the log and the error. `cancel` may be null.
  Patience(std::chrono::milliseconds limit, const CancelToken* cancel, std::string what);

  // Sleeps for a moment, longer each time, up to 10 ms. Returns kBusy at the limit, and
  // kInterrupted once a stop has been requested.
  Result<void> pause();

  // Returns the error at the limit.
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
