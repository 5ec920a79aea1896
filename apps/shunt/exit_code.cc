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
    case ErrorCode::kUnsuitable:  // this file system, this user, this file: not this way
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

}  // namespace shunt::cli
