// A progress bar on standard error: bytes, rate, time left.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/progress.h"

namespace shunt::cli {

inline constexpr double kFirstDraw = 0.5;  // seconds from the start
inline constexpr double kRedraw = 0.1;

// "[####....]  50%  1.00 GiB of 2.00 GiB  100 MiB/s  10 s left"
[[nodiscard]] std::string bar_text(std::uint64_t done, std::uint64_t total, double seconds);

// Draws nothing during the first half second, and little often after that. Any thread may report.
class ProgressBar final : public Progress {
 public:
  ProgressBar() = default;
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() override { clear(); }

  void begin(std::string_view what, std::uint64_t total) override;
  void advance(std::uint64_t bytes) override;
  // Takes the bar away, before something else is written.
  void clear();

 private:
  void draw(double seconds);

  std::mutex mutex_;  // guards all but done_
  std::string what_;
  std::uint64_t total_ = 0;
  std::atomic<std::uint64_t> done_{0};
  Stopwatch stopwatch_;
  double last_drawn_ = 0;
  bool visible_ = false;
};

}  // namespace shunt::cli
