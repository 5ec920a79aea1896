#include "shunt/base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace shunt {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kFailed:
      return "failed";
    case ErrorCode::kUsage:
      return "usage";
    case ErrorCode::kUnsuitable:
      return "unsuitable";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kNetwork:
      return "network";
    case ErrorCode::kIntegrity:
      return "integrity";
    case ErrorCode::kLocalIo:
      return "local-io";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kInterrupted:
      return "interrupted";
  }
  return "failed";
}

std::string Error::describe() const {
  std::string text;
  for (const std::string& part : {path, operation, reason}) {
    if (part.empty()) continue;
    if (!text.empty()) text += ": ";
    text += part;
  }
  if (offset) text += fmt::format(" (at byte {})", *offset);
  return text;
}

Error Error::with_path(std::string_view new_path) const {
  Error copy = *this;
  if (copy.path.empty()) copy.path = new_path;
  return copy;
}

Error Error::with_hint(std::string_view new_hint) const {
  Error copy = *this;
  if (copy.hint.empty()) copy.hint = new_hint;
  return copy;
}

namespace {

ErrorCode code_of_errno(int number) {
  switch (number) {
    case EOPNOTSUPP:
    case ENOSYS:
    case EXDEV:
      return ErrorCode::kUnsuitable;
    case EWOULDBLOCK:
    case EBUSY:
    case ETXTBSY:
      return ErrorCode::kBusy;
    default:
      return ErrorCode::kLocalIo;
  }
}

}  // namespace

Error system_error(int number, std::string_view path, std::string_view operation) {
  Error error;
  error.code = code_of_errno(number);
  error.path = path;
  error.operation = operation;
  error.reason = std::strerror(number);
  error.system_errno = number;
  return error;
}

Error usage(std::string_view reason) {
  Error error;
  error.code = ErrorCode::kUsage;
  error.reason = reason;
  return error;
}

Error corrupt(std::string_view reason, std::optional<std::uint64_t> offset) {
  Error error;
  error.code = ErrorCode::kCorrupt;
  error.reason = reason;
  error.offset = offset;
  return error;
}

}  // namespace shunt
