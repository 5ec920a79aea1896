// File names in shell commands that messages suggest.
#pragma once

#include <string>
#include <string_view>

namespace shunt {

// Returns `path` as one word of sh(1), quoted if needed, that no program takes for an option.
[[nodiscard]] std::string shell_word(std::string_view path);

}  // namespace shunt
