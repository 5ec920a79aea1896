// Makes untrusted text, such as file names and what servers send, safe for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shunt {

// Returns `text` on one line and without terminal control: control characters and invalid UTF-8
// become \n, \t, \x1b and the like.
[[nodiscard]] std::string printable(std::string_view text);

// Same, for the words of a server or a program: trailing white space is removed, other white space
// becomes spaces, and text beyond `limit` bytes becomes "...".
[[nodiscard]] std::string one_line(std::string_view text, std::size_t limit = 200);

// Returns true if `text` is valid UTF-8 (RFC 3629).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace shunt
