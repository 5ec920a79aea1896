// Detects a transfer that is too slow: a server that sends a byte now and then passes all time-outs
// on silence and never ends.
#pragma once

#include <cstdint>
#include <utility>

namespace shunt::http {

// Covers all attempts at one thing. Counts only time, from the first byte of an answer on, in which
// the server could have sent and no local party was waited for; the driver of the transfers reports
// it. One thread.
class SpeedWatch {
 public:
  // Fewer than `lowest` bytes per second over `seconds` is too slow. If either is 0, nothing is.
  SpeedWatch(std::uint64_t lowest, double seconds)
      : seconds_(seconds), enough_(static_cast<double>(lowest) * seconds) {}

  void came(std::uint64_t bytes) {
    unanswered_ = 0;
    bytes_ += static_cast<double>(bytes);
    if (bytes_ < enough_) return;
    tried_again_ = false;
    begin();
  }
  void waited(double seconds) { waited_ += seconds; }
  [[nodiscard]] bool too_slow() const { return enough_ > 0 && waited_ > seconds_; }
  // If too slow: true if nothing at all came in that time.
  [[nodiscard]] bool silent() const { return bytes_ == 0; }
  [[nodiscard]] double seconds() const { return seconds_; }

  // An attempt has timed out before the first byte of an answer.
  void was_not_answered() { ++unanswered_; }
  // Factor for the time-out of the next attempt's first byte, relative to the first attempt.
  [[nodiscard]] double patience() const { return static_cast<double>(1U << unanswered_); }

  // Call after an attempt has ended for any reason. Returns true if another one makes sense. After
  // a slow one there is one more try, since another server of the same name may be faster; the try
  // is renewed once a transfer was fast enough.
  [[nodiscard]] bool may_try_again() {
    if (unanswered_ >= kMostUnanswered) return false;
    if (!too_slow()) return true;
    begin();
    return !std::exchange(tried_again_, true);
  }

 private:
  static constexpr unsigned kMostUnanswered = 3;

  void begin() { bytes_ = waited_ = 0; }

  double seconds_;
  double enough_;  // bytes
  double bytes_ = 0;
  double waited_ = 0;
  bool tried_again_ = false;
  unsigned unanswered_ = 0;  // in a row
};

}  // namespace shunt::http
