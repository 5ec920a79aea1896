// What the ways to run faststart have in common: measuring, reporting, verifying.
#pragma once

#include "base/clock.h"
#include "faststart/faststart.h"
#include "faststart/plan.h"
#include "faststart/verify.h"
#include "io/counters.h"

namespace shunt::faststart {

// One run and its report. Filled in along the way, closed by finish().
class Run {
 public:
  Run(std::string path, const Options& options);

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] Report& report() { return report_; }
  [[nodiscard]] const Report& report() const { return report_; }
  [[nodiscard]] io::Counters& counters() { return counters_; }
  [[nodiscard]] Verifier& verifier() { return verifier_; }

  // Notes what the plan comes to.
  void note(const Plan& plan);
  void note_dry_run(const Plan& plan);
  // Takes down the warnings of planning, and the packets of the original where they are asked for.
  Result<void> begin(const mp4::Movie& movie);
  // Compares the packets of `candidate`, where that is asked for.
  Result<void> verify(const io::Source& candidate);

  // The report, with `result`'s error in it if there is one.
  Report finish(const Result<void>& result);

 private:
  const Options& options_;
  Report report_;
  io::Counters counters_;
  Verifier verifier_;
  Stopwatch stopwatch_;
};

}  // namespace shunt::faststart
