// Draws the progress of a run, of one task or several, on standard error.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <string_view>

#include "globals.h"
#include "progress_text.h"
#include "shunt/base/clock.h"
#include "shunt/base/progress.h"
#include "shunt/io/thread.h"

namespace shunt::cli {

// Thread-safe. Its own thread draws, so that stalls show too; working threads only count.
class ProgressBar {
 public:
  ProgressBar() = default;
  ~ProgressBar() { stop(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Starts drawing after half a second and continues until stop(), if progress is to be shown at
  // all. `what` is shown until the first phase begins.
  void start(const Globals& globals, std::string_view what);
  // Sets the number of parts; if more than one, they are shown together. `noun` names them:
  // "files".
  void expect(std::size_t parts, std::string_view noun);
  // Removes the line, permanently.
  void stop();

  // What one task reports to. It counts as done when this is destroyed. Must not outlive the bar.
  class Part final : public Progress {
   public:
    Part(ProgressBar& bar, std::string name);
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    ~Part() override;

    void begin(std::string_view what, std::uint64_t total) override;
    void advance(std::uint64_t bytes) override;
    void skip(std::uint64_t bytes) override;

    // Returns null if nothing is shown, so that nobody has to count.
    [[nodiscard]] Progress* progress() { return bar_.running_ ? this : nullptr; }

   private:
    friend class ProgressBar;

    // Returns the fraction, 0 to 1, that was there before (cached).
    [[nodiscard]] double skipped_part() const;

    ProgressBar& bar_;
    const std::string name_;
    std::string what_;  // guarded by the bar's mutex, like total_ and at_
    std::uint64_t total_ = 0;
    std::list<Part*>::iterator at_;
    std::atomic<std::uint64_t> done_{0};     // bytes of the phase
    std::atomic<std::uint64_t> skipped_{0};  // of these, there before
  };

 private:
  struct Sample {
    double at = 0;  // seconds
    std::uint64_t moved = 0;
    std::uint64_t worked = 0;
  };

  Result<void> draw_until_stopped();
  // Returns what to show; an empty view in the first half second.
  [[nodiscard]] ProgressView look();
  void sample_anew();  // this and the next three are called with the mutex held
  void take_sample(double now);
  [[nodiscard]] ProgressView view_of_parts(double now) const;
  [[nodiscard]] ProgressView view_of_one() const;
  [[nodiscard]] std::string obstacle(double now) const;
  void count(Part& part, std::uint64_t bytes);

  std::atomic<std::uint64_t> moved_{0};   // bytes of all parts
  std::atomic<std::uint64_t> worked_{0};  // of these, not there before
  std::atomic<Part*> last_{nullptr};      // the part that moved last, if it still exists

  std::mutex mutex_;  // guards the members below
  std::condition_variable stopping_;
  bool stop_ = false;
  std::string what_;
  std::string noun_;
  std::size_t expected_ = 1;
  std::size_t finished_ = 0;
  double skipped_ = 0;  // sum of skipped_part() of the finished parts
  std::list<Part*> parts_;
  std::deque<Sample> samples_;  // of the last seconds
  double moved_at_ = 0;         // time of the last progress, in seconds
  Stopwatch stopwatch_;

  bool running_ = false;  // used by the thread that calls start() and stop()
  io::Thread thread_;
};

}  // namespace shunt::cli
