#include "shunt/base/catching.h"

#include <cerrno>
#include <exception>
#include <new>

namespace shunt {

Error out_of_memory() noexcept {
  Error error;
  error.code = ErrorCode::kLocalIo;
  error.reason = "out of memory";  // short enough for the string's internal buffer
  error.system_errno = ENOMEM;
  return error;
}

Error error_of_exception() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::exception& thrown) {
    try {
      Error error;
      error.operation = "internal error";
      error.reason = thrown.what();
      return error;
    } catch (...) {  // no memory for the text
      return out_of_memory();
    }
  } catch (...) {
    Error error;
    error.reason = "internal error";
    return error;
  }
}

}  // namespace shunt
