// Text of others, such as names of files, on its way to a terminal.
#pragma once

#include <string>
#include <string_view>

namespace shunt {

// `text` in one line that cannot steer a terminal: control characters, and bytes that are no UTF-8,
// become \n, \t, \x1b and the like.
[[nodiscard]] std::string printable(std::string_view text);

// Whether all of `text` is UTF-8 (RFC 3629).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace shunt
