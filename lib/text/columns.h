// The width of text on a terminal, in columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shunt {

// Returns the width of printable UTF-8 (text/printable.h): two columns for East Asian wide
// characters and emoji, none for combining characters. If terminals differ, the larger number.
[[nodiscard]] std::size_t columns_of(std::string_view text);

// Shortens `text` to at most `columns`, with "..." in place of its end or its beginning (the end of
// a file name says more). Characters are not split.
[[nodiscard]] std::string without_end(std::string_view text, std::size_t columns);
[[nodiscard]] std::string without_beginning(std::string_view text, std::size_t columns);

}  // namespace shunt
