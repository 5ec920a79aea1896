// What all ways to run faststart share: measuring, reporting, verifying.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "shunt/base/clock.h"
#include "shunt/faststart/faststart.h"
#include "shunt/faststart/plan.h"
#include "shunt/faststart/verify.h"
#include "shunt/io/counters.h"

namespace shunt::faststart {

// Returns kBusy: another program changed or replaced the file. It has no errno, so that no other
// strategy is tried.
[[nodiscard]] Error changed_meanwhile(std::string_view path, std::string_view operation);

// One run and its report. The report is filled in as the run goes and closed by finish(). Keeps a
// reference to `options`.
class Run {
 public:
  Run(std::string path, const Options& options);

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] Report& report() { return report_; }
  [[nodiscard]] const Report& report() const { return report_; }
  [[nodiscard]] io::Counters& counters() { return counters_; }

  // Records what `plan` is: strategy, sizes, shift.
  void note(const Plan& plan);
  void note_dry_run(const Plan& plan);
  // Records, for a dry run, what running the plan would cost. What has been read so far counts too.
  void note_cost(const Plan& plan);
  // Records the warnings of planning. Reads the packets of the original if verification is asked
  // for and there is something to do.
  Result<void> begin(const mp4::Movie& movie);
  // Reads the packets of an original that stays as it is, if verification is asked for.
  Result<void> remember(const io::Source& original);
  // Compares the packets of `candidate` with the original's, if verification is asked for and the
  // original's are known.
  Result<void> verify(const io::Source& candidate);

  // Returns the report, with the error of `result` if there is one.
  Report finish(const Result<void>& result);

 private:
  // Returns true if packets are compared. A dry run compares local files only: it fetches nothing.
  [[nodiscard]] bool compares(const io::Source& original) const;
  std::vector<std::uint32_t> note_external(const mp4::Movie& movie);
  Result<void> remember(const io::Source& original, std::vector<std::uint32_t> left_out);

  const Options& options_;
  Report report_;
  io::Counters counters_;
  std::optional<io::Counters> planned_;  // of a dry run: what the run would read and write
  Verifier verifier_;
  bool remembered_ = false;  // the verifier knows the original
  Stopwatch stopwatch_;
};

}  // namespace shunt::faststart
