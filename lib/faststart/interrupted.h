// Messages about a file whose edit was interrupted.
#pragma once

#include <string>

#include "shunt/base/result.h"

namespace shunt::faststart {

// Returns the shell command that recovers `path`.
[[nodiscard]] std::string recover_command(const std::string& path);

// Returns the error for a file with a journal that no process is working on.
[[nodiscard]] Error interrupted_before(const std::string& path);

}  // namespace shunt::faststart
