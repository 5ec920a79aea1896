// A token bucket that limits a rate to `rate` bytes per second.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace shunt::http {

// One thread. A rate of 0 is no limit.
class RateBucket {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RateBucket(std::uint64_t rate)
      : rate_(static_cast<double>(rate)), tokens_(burst()), filled_(Clock::now()) {}

  [[nodiscard]] bool limited() const { return rate_ > 0; }
  // Returns true if bytes may pass. They may exceed the tokens left; the debt is then waited for.
  [[nodiscard]] bool open(Clock::time_point now) {
    if (!limited()) return true;
    const double seconds = std::chrono::duration<double>(now - filled_).count();
    filled_ = now;
    tokens_ = std::min(burst(), tokens_ + seconds * rate_);
    return tokens_ > 0;
  }
  void take(std::size_t bytes) {
    if (limited()) tokens_ -= static_cast<double>(bytes);
  }
  // Time until open() returns true, counted from its last call.
  [[nodiscard]] std::chrono::milliseconds wait() const {
    if (!limited() || tokens_ > 0) return std::chrono::milliseconds(0);
    return std::chrono::milliseconds(1 + static_cast<std::int64_t>(-tokens_ / rate_ * 1000));
  }

 private:
  // Bytes that may pass at once after a pause.
  [[nodiscard]] double burst() const { return rate_ / 20; }

  double rate_;
  double tokens_;
  Clock::time_point filled_;
};

}  // namespace shunt::http
