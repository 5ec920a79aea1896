// Names of files in commands that a message gives for typing.
#pragma once

#include <string>
#include <string_view>

namespace shunt {

// The file `path` as one word of sh(1), in quotes where it needs them, that no program takes for an
// option.
[[nodiscard]] std::string shell_word(std::string_view path);

}  // namespace shunt
