#include "shunt/text/shell_word.h"

#include <algorithm>

namespace shunt {
namespace {

// Includes bytes beyond ASCII, which shells leave alone.
bool is_plain(unsigned char c) {
  constexpr std::string_view kPlain = "@%+=:,./-_";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80 ||
         kPlain.find(static_cast<char>(c)) != std::string_view::npos;
}

}  // namespace

std::string shell_word(std::string_view path) {
  const std::string_view folder = path.starts_with('-') ? "./" : "";
  std::string word;
  if (!path.empty() && std::ranges::all_of(path, is_plain)) return word.append(folder).append(path);
  word.append("'").append(folder);
  for (const char c : path) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

}  // namespace shunt
