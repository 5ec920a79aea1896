// What people are told of a file whose edit was interrupted.
#pragma once

#include <string>

#include "shunt/base/result.h"

namespace shunt::faststart {

// What to type to bring `path` out of it.
[[nodiscard]] std::string recover_command(const std::string& path);

// There is a journal for `path`, and nobody at work.
[[nodiscard]] Error interrupted_before(const std::string& path);

}  // namespace shunt::faststart
