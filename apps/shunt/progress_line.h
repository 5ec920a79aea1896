// The line of standard error that shows progress: when to draw it, and taking it away.
#pragma once

#include <string_view>

#include "base/clock.h"

namespace shunt::cli {

// Not thread-safe: whoever has one guards it.
class ProgressLine {
 public:
  ProgressLine() = default;
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  // Counts the time from here on.
  void restart();
  [[nodiscard]] double seconds() const { return stopwatch_.seconds(); }
  // Whether to draw now: not during the first half second, and little often after that.
  [[nodiscard]] bool due();

  void draw(std::string_view text);
  // Takes the line away, before something else is written.
  void clear();

 private:
  Stopwatch stopwatch_;
  double last_due_ = 0;
  bool visible_ = false;
};

}  // namespace shunt::cli
