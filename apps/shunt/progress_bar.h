// The progress of a run, drawn on standard error: of one thing, or of several at once.
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

// Thread-safe. A thread of its own draws, so that a stall shows too; those that work only count.
class ProgressBar {
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

    // Of the whole, 0 to 1, what was there before.
    [[nodiscard]] double skipped_part() const;

    ProgressBar& bar_;
    const std::string name_;
    std::string what_;  // guarded by the bar's mutex, like the next
    std::uint64_t total_ = 0;
    std::list<Part*>::iterator at_;
    std::atomic<std::uint64_t> done_{0};     // of the stretch
    std::atomic<std::uint64_t> skipped_{0};  // of it, what was there before
  };

 private:
  struct Sample {
    double at = 0;  // seconds
    std::uint64_t moved = 0;
    std::uint64_t worked = 0;
  };

  Result<void> draw_until_stopped();
  // What there is to show; a view of nothing to say before the first half second is over.
  [[nodiscard]] ProgressView look();
  void sample_anew();  // these are under the mutex
  void take_sample(double now);
  [[nodiscard]] ProgressView view_of_parts(double now) const;
  [[nodiscard]] ProgressView view_of_one() const;
  [[nodiscard]] std::string obstacle(double now) const;
  void count(Part& part, std::uint64_t bytes);

  std::atomic<std::uint64_t> moved_{0};   // of all parts
  std::atomic<std::uint64_t> worked_{0};  // of it, what was not there before
  std::atomic<Part*> last_{nullptr};      // that moved, if it is there still

  std::mutex mutex_;  // guards what follows
  std::condition_variable stopping_;
  bool stop_ = false;
  std::string what_;
  std::string noun_;
  std::size_t expected_ = 1;
  std::size_t finished_ = 0;
  double skipped_ = 0;  // of the parts that are finished, what each had of its own there before
  std::list<Part*> parts_;
  std::deque<Sample> samples_;  // of the last seconds
  double moved_at_ = 0;         // when something last did
  Stopwatch stopwatch_;

  bool running_ = false;  // of the thread that starts and stops it
  io::Thread thread_;
};

}  // namespace shunt::cli
