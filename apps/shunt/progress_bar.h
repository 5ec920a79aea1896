// A progress bar on standard error: bytes, rate, time left.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/progress.h"
#include "progress_line.h"

namespace shunt::cli {

// "[####....]  50%  1.00 GiB of 2.00 GiB  100 MiB/s  10 s left"; "1.00 GiB  100 MiB/s" when the
// total is 0, which is not known.
[[nodiscard]] std::string bar_text(std::uint64_t done, std::uint64_t total, double seconds);

// Any thread may report.
class ProgressBar final : public Progress {
 public:
  void begin(std::string_view what, std::uint64_t total) override;
  void advance(std::uint64_t bytes) override;
  // Takes the bar away, before something else is written.
  void clear();

 private:
  std::mutex mutex_;  // guards all but done_
  std::string what_;
  std::uint64_t total_ = 0;
  std::atomic<std::uint64_t> done_{0};
  ProgressLine line_;
};

}  // namespace shunt::cli
