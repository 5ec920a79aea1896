#include "shunt/base/cancel.h"

namespace shunt {

Result<void> CancelToken::check() const {
  if (!requested()) return {};
  Error error;
  error.code = ErrorCode::kInterrupted;
  error.reason = "interrupted";
  return error;
}

}  // namespace shunt
