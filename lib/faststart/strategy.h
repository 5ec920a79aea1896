// A strategy: how it plans, when it cannot be used, what it costs, how it runs. Each strategy is
// one file in strategies/ and one row of the table there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/files/directory.h"
#include "shunt/io/file.h"
#include "shunt/io/source.h"
#include "shunt/mp4/moov_sizing.h"

namespace shunt::faststart {

struct Plan;
struct PlanOptions;
struct Setting;

// Where a new file goes: in place of the old one, or elsewhere (-o).
enum class NewFileGoes { kInItsPlace, kElsewhere };

// What running a plan costs, in bytes. The journal is counted in `space` only.
struct Cost {
  std::uint64_t to_read = 0;
  std::uint64_t to_write = 0;
  std::uint64_t writes_below = 0;  // largest end offset of any write
  std::uint64_t space = 0;         // disk space needed besides the file, while it runs
};

// The environment that a strategy runs in. run() calls either edit() or make_new(), once.
class Work {
 public:
  // Writes the whole new file into `out`, which is empty. `source` is where the old file lies; its
  // file is null if the old bytes are in no file.
  using Fill = std::function<Result<void>(const io::FileRange& source, io::File& out)>;

  Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual ~Work() = default;

  // Applies plan.edit to the file itself, under a journal. Returns kUnsuitable when a new file is
  // to be made.
  virtual Result<void> edit(const Plan& plan) = 0;
  // Makes a new file; `fill` writes its content.
  virtual Result<void> make_new(const Plan& plan, const Fill& fill) = 0;
  // Returns the context of the run.
  [[nodiscard]] virtual Context context() const = 0;
};

// Stateless: all functions may be called from any thread.
class Strategy {
 public:
  Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;
  virtual ~Strategy() = default;

  // The name, as given to --strategy.
  [[nodiscard]] virtual std::string_view name() const = 0;
  // Returns true if it changes the file itself, so that hard links see the change. Otherwise it
  // makes a new file.
  [[nodiscard]] virtual bool keeps_inode() const = 0;
  // Returns true if its plan can be written in order, into a pipe.
  [[nodiscard]] virtual bool goes_into_streams() const { return false; }
  // Returns true if it can make a new file from `source`.
  [[nodiscard]] virtual bool takes(const io::FileRange& /*source*/) const { return true; }

  // Returns the alignments to try for the gap, in bytes, in order: when the file system rejects one
  // with EINVAL, the next is tried.
  [[nodiscard]] virtual std::vector<std::uint64_t> units(std::uint64_t block_size) const {
    return {block_size};
  }
  // Plans the new file and sizes `movie` anew. Returns kUnsuitable if this strategy cannot make it.
  [[nodiscard]] virtual Result<Plan> plan(mp4::Movie& movie, const PlanOptions& options) const = 0;
  // Describes what running the plan does, in a few words: "a new file is written".
  [[nodiscard]] virtual std::string describe(const Plan& plan, NewFileGoes where) const = 0;
  [[nodiscard]] virtual Cost cost(const Plan& plan) const = 0;
  // Returns the part of cost().space that is needed for sure.
  [[nodiscard]] virtual std::uint64_t least_space(const Plan& plan, const Setting& setting) const;

  // Returns why `auto` skips it here, or an empty string.
  [[nodiscard]] virtual std::string why_not(const Plan& plan, const Setting& setting) const = 0;
  // Returns true if it may run when it is asked for by name, whatever why_not() says.
  [[nodiscard]] virtual bool can_be_forced() const { return true; }
  // Finds out by a trial what only a run would show, and leaves nothing behind. The new file would
  // be made in `directory`. Returns why it would fail, or an empty string.
  [[nodiscard]] virtual std::string why_not_tried(const Plan& plan, const Setting& setting,
                                                  const files::Directory& directory,
                                                  const io::FileRange& source) const;

  // Runs the plan. Returns kUnsuitable if that turns out to be impossible: the file is then
  // unchanged, and a new file may hold partial content.
  virtual Result<void> run(const Plan& plan, Work& work) const = 0;
};

}  // namespace shunt::faststart
