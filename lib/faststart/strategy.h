// A way to get moov in front: what it plans, where it cannot be used, what it costs, how it runs.
// Each is one file in strategies/ and one row of the table there.
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

// Where a new file goes: it takes the place of the old one, or has another name (-o).
enum class NewFileGoes { kInItsPlace, kElsewhere };

// What realising a plan takes, in bytes.
struct Cost {
  std::uint64_t to_read = 0;       // besides the journal
  std::uint64_t to_write = 0;      // likewise
  std::uint64_t writes_below = 0;  // where the last byte that is written ends, in its file
  std::uint64_t space = 0;         // of disk, besides the file, while it runs
};

// What a strategy is run with. One of the two is called, once.
class Work {
 public:
  // Writes all of the new file, which is empty at first, from the old one, which lies at `source`
  // in a file, or in none.
  using Fill = std::function<Result<void>(const io::FileRange& source, io::File& out)>;

  Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual ~Work() = default;

  // Does plan.edit in the file itself, under a journal. kUnsuitable where there is to be a new
  // file.
  virtual Result<void> edit(const Plan& plan) = 0;
  // Makes a new file.
  virtual Result<void> make_new(const Plan& plan, const Fill& fill) = 0;
  // Who may stop the run, and who is told how far it is.
  [[nodiscard]] virtual Context context() const = 0;
};

// Has no state: all functions may be called from any thread.
class Strategy {
 public:
  Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;
  virtual ~Strategy() = default;

  // What --strategy calls it.
  [[nodiscard]] virtual std::string_view name() const = 0;
  // Whether it changes the file itself, so that all its names keep it. Otherwise a new file takes
  // the place of the old one, or goes elsewhere.
  [[nodiscard]] virtual bool keeps_inode() const = 0;
  // Whether what it plans can be written in order, into a pipe.
  [[nodiscard]] virtual bool goes_into_streams() const { return false; }
  // Whether it can make a new file from what lies at `source`.
  [[nodiscard]] virtual bool takes(const io::FileRange& /*source*/) const { return true; }

  // The units in which room is opened, in the order in which they are tried: where the file system
  // refuses one with EINVAL, the next one is.
  [[nodiscard]] virtual std::vector<std::uint64_t> units(std::uint64_t block_size) const {
    return {block_size};
  }
  // kUnsuitable when it cannot make this file. Sizes `movie` anew.
  [[nodiscard]] virtual Result<Plan> plan(mp4::Movie& movie, const PlanOptions& options) const = 0;
  // What running the plan amounts to, in a few words: "a new file is written".
  [[nodiscard]] virtual std::string describe(const Plan& plan, NewFileGoes where) const = 0;
  [[nodiscard]] virtual Cost cost(const Plan& plan) const = 0;
  // The part of cost().space that is needed for sure.
  [[nodiscard]] virtual std::uint64_t least_space(const Plan& plan, const Setting& setting) const;

  // Why `auto` passes it over here; empty when it does not.
  [[nodiscard]] virtual std::string why_not(const Plan& plan, const Setting& setting) const = 0;
  // Whether it is run, when asked for by name, whatever why_not() says.
  [[nodiscard]] virtual bool can_be_forced() const { return true; }
  // What a run would only find out by trying: tries it, and leaves nothing behind. The new file
  // would be in `directory`. Empty when nothing is in the way.
  [[nodiscard]] virtual std::string why_not_tried(const Plan& plan, const Setting& setting,
                                                  const files::Directory& directory,
                                                  const io::FileRange& source) const;

  // kUnsuitable when it turns out not to be possible; what `work` is about is unchanged then, but
  // for the content of a new file.
  virtual Result<void> run(const Plan& plan, Work& work) const = 0;
};

}  // namespace shunt::faststart
