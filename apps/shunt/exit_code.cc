#include "exit_code.h"

#include <csignal>

namespace shunt::cli {

int exit_code_of(ErrorCode code, const CancelToken& cancel) {
  switch (code) {
    case ErrorCode::kUsage:
      return kUsage;
    case ErrorCode::kCorrupt:
      return kCorrupt;
    case ErrorCode::kNetwork:
      return kNetwork;
    case ErrorCode::kIntegrity:
      return kIntegrity;
    case ErrorCode::kUnsuitable:  // not possible with this file system, user or file
    case ErrorCode::kLocalIo:
      return kLocalIo;
    case ErrorCode::kBusy:
      return kBusy;
    case ErrorCode::kInterrupted:
      return 128 + (cancel.signal_number() != 0 ? cancel.signal_number() : SIGINT);
    case ErrorCode::kFailed:
      break;
  }
  return kFailed;
}

int exit_code_for(const std::vector<std::optional<ErrorCode>>& outcomes,
                  const CancelToken& cancel) {
  std::optional<int> code;
  std::size_t failures = 0;
  bool alike = true;
  for (const std::optional<ErrorCode>& outcome : outcomes) {
    if (!outcome) continue;
    ++failures;
    const int own = exit_code_of(*outcome, cancel);
    alike = alike && (!code || *code == own);
    code = own;
  }
  // Also if it came too late to stop anything: the sender should see that it was received.
  if (cancel.requested()) return exit_code_of(ErrorCode::kInterrupted, cancel);
  if (failures == 0) return kDone;
  if (failures < outcomes.size()) return kSomeFailed;
  return alike ? *code : kFailed;
}

}  // namespace shunt::cli
