// Choosing a strategy: those in question, why one is passed over, when another one is tried.
#pragma once

#include <string>
#include <vector>

#include "shunt/faststart/faststart.h"
#include "shunt/faststart/plan.h"
#include "shunt/faststart/setting.h"
#include "shunt/faststart/strategy.h"

namespace shunt::faststart {

// The strategy that was asked for, or all of the table.
[[nodiscard]] std::vector<const Strategy*> strategies_asked_for(const Options& options);

// Those of them that may be run on the file itself, in the order in which they are tried.
[[nodiscard]] std::vector<const Strategy*> candidates(const Options& options);

// Why `plan` cannot be run on the file itself, whoever asks for it: it is too large, or makes a new
// file that cannot be given the name or the owner of the old one. Empty when it can.
[[nodiscard]] std::string why_impossible(const Plan& plan, const Setting& setting);

// Why `plan` is not run on the file itself where these options were given, in a dry run too. Empty
// when it is.
[[nodiscard]] std::string why_not_run(const Plan& plan, const Setting& setting,
                                      const Options& options);

// After this failure of a strategy, which has left the file as it was, `auto` tries the next one.
[[nodiscard]] bool leaves_to_others(const Strategy& strategy, const Error& error);

}  // namespace shunt::faststart
