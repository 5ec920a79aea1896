// How many columns of a terminal text takes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shunt {

// Of printable UTF-8 (text/printable.h): two for what East Asian fonts and emoji make wide, none
// for what joins the character before. Where terminals disagree, the larger number.
[[nodiscard]] std::size_t columns_of(std::string_view text);

// `text` in at most `columns`, with "..." where something had to go: its end, or its beginning, as
// the end of a file's name tells more. No character is cut in two.
[[nodiscard]] std::string without_end(std::string_view text, std::size_t columns);
[[nodiscard]] std::string without_beginning(std::string_view text, std::size_t columns);

}  // namespace shunt
