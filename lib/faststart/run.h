// What the ways to run faststart have in common: measuring, reporting, verifying.
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

// Another program has changed, or replaced, the file that the run is about: kBusy. Without an
// errno: no other strategy would do better.
[[nodiscard]] Error changed_meanwhile(std::string_view path, std::string_view operation);

// One run and its report. Filled in along the way, closed by finish().
class Run {
 public:
  Run(std::string path, const Options& options);

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] Report& report() { return report_; }
  [[nodiscard]] const Report& report() const { return report_; }
  [[nodiscard]] io::Counters& counters() { return counters_; }

  // Notes what the plan comes to.
  void note(const Plan& plan);
  void note_dry_run(const Plan& plan);
  // Of a dry run, what running the plan takes; what has been read up to now, the run reads too.
  void note_cost(const Plan& plan);
  // Takes down the warnings of planning, and the packets of the original where they are asked for
  // and something is to do.
  Result<void> begin(const mp4::Movie& movie);
  // Takes down the packets of an original that stays as it is, where they are asked for.
  Result<void> remember(const io::Source& original);
  // Compares the packets of `candidate`, where that is asked for and the original's are known.
  Result<void> verify(const io::Source& candidate);

  // The report, with `result`'s error in it if there is one.
  Report finish(const Result<void>& result);

 private:
  // A dry run does so with what is here, and fetches nothing for it.
  [[nodiscard]] bool compares(const io::Source& original) const;
  std::vector<std::uint32_t> note_external(const mp4::Movie& movie);
  Result<void> remember(const io::Source& original, std::vector<std::uint32_t> left_out);

  const Options& options_;
  Report report_;
  io::Counters counters_;
  std::optional<io::Counters> planned_;  // of a dry run: what the run would come to
  Verifier verifier_;
  bool remembered_ = false;  // the verifier knows the original
  Stopwatch stopwatch_;
};

}  // namespace shunt::faststart
