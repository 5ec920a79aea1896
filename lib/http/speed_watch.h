// Whether something comes too slowly to be waited for: a server that sends a byte now and then
// stays within all limits on silence, and never ends.
#pragma once

#include <cstdint>
#include <utility>

namespace shunt::http {

// Of one thing that is asked for, over all attempts at it. What counts is the time in which the
// server could have sent and nobody else was waited for, from the first byte of an answer on;
// whoever drives the transfers tells of it. Of one thread.
class SpeedWatch {
 public:
  // Fewer than `lowest` bytes a second for `seconds` is too slow; 0, of either: nothing is.
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
  // Of what is too slow: nothing at all has come for this long.
  [[nodiscard]] bool silent() const { return bytes_ == 0; }
  [[nodiscard]] double seconds() const { return seconds_; }

  // An attempt has ended without a byte of an answer, for which it waited long enough.
  void was_not_answered() { ++unanswered_; }
  // How many times as long as the first attempt the next one is to wait for that byte.
  [[nodiscard]] double patience() const { return static_cast<double>(1U << unanswered_); }

  // After an attempt has ended, for whatever reason: whether another one makes sense. Another
  // server of the same name may be faster; but that is tried once, until it was fast enough for
  // once.
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
