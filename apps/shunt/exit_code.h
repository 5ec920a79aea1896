// The exit codes of the contract, and which of them an error means.
#pragma once

#include <optional>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/error.h"

namespace shunt::cli {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,  // also: the answer to a question is no
  kUsage = 2,
  kSomeFailed = 3,
  kCorrupt = 4,
  kNetwork = 5,
  kIntegrity = 6,
  kLocalIo = 7,
  kBusy = 8,
};

// 128 and the signal's number for an interruption.
[[nodiscard]] int exit_code_of(ErrorCode code, const CancelToken& cancel);

// One code for several inputs, each with its error if it failed: their own where all fail alike,
// kSomeFailed where some do not, that of an interruption once there was one.
[[nodiscard]] int exit_code_for(const std::vector<std::optional<ErrorCode>>& outcomes,
                                const CancelToken& cancel);

}  // namespace shunt::cli
