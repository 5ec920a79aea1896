// Choosing a strategy: which are considered, why one is skipped, when the next one is tried.
#pragma once

#include <string>
#include <vector>

#include "shunt/faststart/faststart.h"
#include "shunt/faststart/plan.h"
#include "shunt/faststart/setting.h"
#include "shunt/faststart/strategy.h"

namespace shunt::faststart {

// Returns the strategy that was asked for, or the whole table.
[[nodiscard]] std::vector<const Strategy*> strategies_asked_for(const Options& options);

// Returns those of them that may run on the file itself, in the order in which they are tried.
[[nodiscard]] std::vector<const Strategy*> candidates(const Options& options);

// Returns why `plan` cannot run on the file itself, whatever was asked for: it writes too much, or
// makes a new file that cannot get the name or the owner of the old one. Empty if it can.
[[nodiscard]] std::string why_impossible(const Plan& plan, const Setting& setting);

// Returns why `plan` is not run on the file itself under `options`. The same in a dry run. Empty if
// it is run.
[[nodiscard]] std::string why_not_run(const Plan& plan, const Setting& setting,
                                      const Options& options);

// Returns true if `auto` tries the next strategy after this error, which left the file unchanged.
[[nodiscard]] bool leaves_to_others(const Strategy& strategy, const Error& error);

}  // namespace shunt::faststart
