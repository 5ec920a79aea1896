// The exit codes, and which one an error gives.
#pragma once

#include <optional>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/error.h"

namespace shunt::cli {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,  // also if the answer to a question is no
  kUsage = 2,
  kSomeFailed = 3,
  kCorrupt = 4,
  kNetwork = 5,
  kIntegrity = 6,
  kLocalIo = 7,
  kBusy = 8,
};

// Returns the exit code of `code`; 128 + signal number for an interruption.
[[nodiscard]] int exit_code_of(ErrorCode code, const CancelToken& cancel);

// Returns one code for several inputs, each with its error if it failed: the common code if all
// failed alike, kSomeFailed if some succeeded, and the code of an interruption if there was one.
[[nodiscard]] int exit_code_for(const std::vector<std::optional<ErrorCode>>& outcomes,
                                const CancelToken& cancel);

}  // namespace shunt::cli
