// A token bucket: how many bytes may pass now, so that not more than `rate` a second do.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace shunt::http {

class RateBucket {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RateBucket(std::uint64_t rate)
      : rate_(static_cast<double>(rate)), tokens_(burst()), filled_(Clock::now()) {}

  [[nodiscard]] bool limited() const { return rate_ > 0; }
  // Whether something may pass. It may then be larger than what is left: the debt is waited for.
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
  // Until open() will say yes, counted from its last call.
  [[nodiscard]] std::chrono::milliseconds wait() const {
    if (!limited() || tokens_ > 0) return std::chrono::milliseconds(0);
    return std::chrono::milliseconds(1 + static_cast<std::int64_t>(-tokens_ / rate_ * 1000));
  }

 private:
  // What may come at once after a pause.
  [[nodiscard]] double burst() const { return rate_ / 20; }

  double rate_;
  double tokens_;
  Clock::time_point filled_;
};

}  // namespace shunt::http
