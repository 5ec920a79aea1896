// The progress of a run, drawn on standard error: of one thing, or of several at once.
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

// A thread of its own draws, so that a stall shows too. Those that work only count, in atomics;
// what is drawn besides is under the mutex. start(), expect() and stop() are for the one thread
// that owns the bar, and a Part is for whoever does its work.
class ProgressBar {
  struct Shown;

 public:
  ProgressBar() = default;
  ~ProgressBar() { stop(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Draws from half a second after this on, until stop(), where progress is to be shown at all.
  // `what` is shown until a stretch of work begins.
  void start(const Globals& globals, std::string_view what);
  // Of how many parts there will be; with more than one, all of them are shown as one. `noun` is
  // what they are: "files".
  void expect(std::size_t parts, std::string_view noun);
  // Takes the line away, for good.
  void stop();

  // What one piece of work reports to. It counts as done when this goes away; no longer than the
  // bar.
  class Part final : public Progress {
   public:
    Part(ProgressBar& bar, std::string name);
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    ~Part() override;

    void begin(std::string_view what, std::uint64_t total) override;
    void advance(std::uint64_t bytes) override;
    void skip(std::uint64_t bytes) override;

    // Null where nothing is shown, and nobody has to count.
    [[nodiscard]] Progress* progress() { return bar_.running_ ? this : nullptr; }

   private:
    friend class ProgressBar;

    ProgressBar& bar_;
    const std::string name_;
    std::atomic<std::uint64_t> done_{0};     // of the stretch
    std::atomic<std::uint64_t> skipped_{0};  // of it, what was there before
    // Comes last: from here on the bar looks at what is above.
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
    // Of the whole, 0 to 1, what was there before.
    [[nodiscard]] double skipped() const;
  };

  std::list<Shown>::iterator add(Part& part) SHUNT_EXCLUDES(mutex_);
  void begin(Shown& shown, std::string_view what, std::uint64_t total) SHUNT_EXCLUDES(mutex_);
  void finish(std::list<Shown>::iterator shown) SHUNT_EXCLUDES(mutex_);
  void count(Part& part, std::uint64_t bytes);

  Result<void> draw_until_stopped() SHUNT_EXCLUDES(mutex_);
  // What there is to show; a view of nothing to say before the first half second is over.
  [[nodiscard]] ProgressView look() SHUNT_REQUIRES(mutex_);
  void sample_anew() SHUNT_REQUIRES(mutex_);
  void take_sample(double now) SHUNT_REQUIRES(mutex_);
  [[nodiscard]] ProgressView view_of_parts(double now) const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] ProgressView view_of_one() const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] std::string obstacle(double now) const SHUNT_REQUIRES(mutex_);

  std::atomic<std::uint64_t> moved_{0};   // of all parts
  std::atomic<std::uint64_t> worked_{0};  // of it, what was not there before
  std::atomic<Part*> last_{nullptr};      // that moved, if it is there still

  Mutex mutex_;
  ConditionVariable stopping_;
  bool stop_ SHUNT_GUARDED_BY(mutex_) = false;
  std::string what_ SHUNT_GUARDED_BY(mutex_);
  std::string noun_ SHUNT_GUARDED_BY(mutex_);
  std::size_t expected_ SHUNT_GUARDED_BY(mutex_) = 1;
  std::size_t finished_ SHUNT_GUARDED_BY(mutex_) = 0;
  // Of the parts that are finished, what each had of its own there before.
  double skipped_ SHUNT_GUARDED_BY(mutex_) = 0;
  std::list<Shown> parts_ SHUNT_GUARDED_BY(mutex_);
  std::deque<Sample> samples_ SHUNT_GUARDED_BY(mutex_);  // of the last seconds
  double moved_at_ SHUNT_GUARDED_BY(mutex_) = 0;         // when something last did
  Stopwatch stopwatch_ SHUNT_GUARDED_BY(mutex_);

  // Of the owner, who changes them while there is no Part.
  bool running_ = false;
  io::Thread thread_;
};

}  // namespace shunt::cli
