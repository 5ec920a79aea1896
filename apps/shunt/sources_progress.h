// One line of progress for several Sources at once: how many are done, the bytes of all, and the
// one that moved last.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/progress.h"
#include "progress_line.h"

namespace shunt::cli {

// Thread-safe. No wider than the terminal.
class SourcesProgress {
 public:
  // How many there will be.
  void expect(std::size_t sources);

  // What one Source reports to. It counts as done when this goes away; no longer than its parent.
  class Part final : public Progress {
   public:
    Part(SourcesProgress& all, std::string name) : all_(all), name_(std::move(name)) {}
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    ~Part() override { all_.finish(*this); }

    void begin(std::string_view what, std::uint64_t total) override;
    void advance(std::uint64_t bytes) override;

   private:
    friend class SourcesProgress;

    SourcesProgress& all_;
    std::string name_;
    std::atomic<std::uint64_t> done_{0};
    std::atomic<std::uint64_t> total_{0};
  };

  // Takes the line away, before something else is written.
  void clear();

 private:
  void finish(Part& part);
  void give_up_rest(Part& part);  // under mutex_
  void draw(const Part& part);

  std::mutex mutex_;  // guards all but done_
  std::size_t sources_ = 0;
  std::size_t finished_ = 0;
  std::uint64_t total_ = 0;
  std::atomic<std::uint64_t> done_{0};
  ProgressLine line_;
};

}  // namespace shunt::cli
