#include "shunt/faststart/interrupted.h"

#include "shunt/text/shell_word.h"

namespace shunt::faststart {

std::string recover_command(const std::string& path) {
  return "shunt faststart --recover " + shell_word(path);
}

Error interrupted_before(const std::string& path) {
  Error error;
  error.path = path;
  error.reason = "an earlier run was interrupted";
  error.hint = "to finish or undo it: " + recover_command(path);
  return error;
}

}  // namespace shunt::faststart
