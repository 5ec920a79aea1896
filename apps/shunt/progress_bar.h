// Draws the progress of a run, of one task or several, on standard error.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <string_view>

#include "globals.h"
#include "progress_text.h"
#include "shunt/base/clock.h"
#include "shunt/base/mutex.h"
#include "shunt/base/progress.h"
#include "shunt/io/thread.h"

namespace shunt::cli {

// Its own thread draws, so that stalls show too. Working threads only count, in atomics; everything
// else that is drawn is guarded by the mutex. start(), expect() and stop() are called by the one
// thread that owns the bar; a Part is used by the thread that does its work.
class ProgressBar {
  struct Shown;

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

    ProgressBar& bar_;
    const std::string name_;
    std::atomic<std::uint64_t> done_{0};     // bytes of the phase
    std::atomic<std::uint64_t> skipped_{0};  // of these, there before
    // Last member: once it is initialised, the bar reads those above.
    const std::list<Shown>::iterator at_;
  };

 private:
  struct Sample {
    double at = 0;  // seconds
    std::uint64_t moved = 0;
    std::uint64_t worked = 0;
  };

  // A part, as it is drawn.
  struct Shown {
    Part* part = nullptr;
    std::string what;
    std::uint64_t total = 0;
    // Returns the fraction, 0 to 1, that was there before (cached).
    [[nodiscard]] double skipped() const;
  };

  std::list<Shown>::iterator add(Part& part) SHUNT_EXCLUDES(mutex_);
  void begin(Shown& shown, std::string_view what, std::uint64_t total) SHUNT_EXCLUDES(mutex_);
  void finish(std::list<Shown>::iterator shown) SHUNT_EXCLUDES(mutex_);
  void count(Part& part, std::uint64_t bytes);

  Result<void> draw_until_stopped() SHUNT_EXCLUDES(mutex_);
  // Returns what to show; an empty view in the first half second.
  [[nodiscard]] ProgressView look() SHUNT_REQUIRES(mutex_);
  void sample_anew() SHUNT_REQUIRES(mutex_);
  void take_sample(double now) SHUNT_REQUIRES(mutex_);
  [[nodiscard]] ProgressView view_of_parts(double now) const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] ProgressView view_of_one() const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] std::string obstacle(double now) const SHUNT_REQUIRES(mutex_);

  std::atomic<std::uint64_t> moved_{0};   // bytes of all parts
  std::atomic<std::uint64_t> worked_{0};  // of these, not there before
  std::atomic<Part*> last_{nullptr};      // the part that moved last, if it still exists

  Mutex mutex_;
  ConditionVariable stopping_;
  bool stop_ SHUNT_GUARDED_BY(mutex_) = false;
  std::string what_ SHUNT_GUARDED_BY(mutex_);
  std::string noun_ SHUNT_GUARDED_BY(mutex_);
  std::size_t expected_ SHUNT_GUARDED_BY(mutex_) = 1;
  std::size_t finished_ SHUNT_GUARDED_BY(mutex_) = 0;
  // Sum of Shown::skipped() of the finished parts.
  double skipped_ SHUNT_GUARDED_BY(mutex_) = 0;
  std::list<Shown> parts_ SHUNT_GUARDED_BY(mutex_);
  std::deque<Sample> samples_ SHUNT_GUARDED_BY(mutex_);  // of the last seconds
  double moved_at_ SHUNT_GUARDED_BY(mutex_) = 0;         // time of the last progress, in seconds
  Stopwatch stopwatch_ SHUNT_GUARDED_BY(mutex_);

  // Used by the owner only, while there is no Part.
  bool running_ = false;
  io::Thread thread_;
};

}  // namespace shunt::cli
