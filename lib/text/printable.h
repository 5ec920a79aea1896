// Text of others, such as names of files and what servers say, on its way to a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shunt {

// `text` in one line that cannot steer a terminal: control characters, and bytes that are no UTF-8,
// become \n, \t, \x1b and the like.
[[nodiscard]] std::string printable(std::string_view text);

// The same of what a server or a program says: without white space at its end, with spaces instead
// of other white space, and with "..." behind `limit` bytes of it.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t limit = 200);

// Whether all of `text` is UTF-8 (RFC 3629).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace shunt
