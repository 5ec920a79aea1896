#include "shunt/text/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace shunt {
namespace {

// Returns the length in bytes of the UTF-8 character at the begin of `text` (RFC 3629); 0: invalid.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and values above the last character.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) {
    return 0;
  }
  return size;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < ' ' || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;  // U+0080 to U+009F
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, size == 0 ? 1 : size);
    if (size != 0 && !is_control(character)) {
      shown += character;
    } else if (character == "\n") {
      shown += "\\n";
    } else if (character == "\t") {
      shown += "\\t";
    } else {
      for (const char c : character) {
        shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    text.remove_prefix(character.size());
  }
  return shown;
}

std::string one_line(std::string_view text, std::size_t limit) {
  constexpr std::string_view kWhiteSpace = " \t\r\n";
  text = text.substr(0, text.find_last_not_of(kWhiteSpace) + 1);
  std::size_t size = std::min(text.size(), limit);
  if (size < text.size()) {
    // Not within a character, which has up to four bytes.
    const auto continues = [&](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
    for (int i = 0; i < 3 && size > 0 && continues(text[size]); ++i) --size;
  }
  std::string line(text.substr(0, size));
  std::ranges::replace_if(
      line, [&](char c) { return kWhiteSpace.find(c) != std::string_view::npos; }, ' ');
  line = printable(line);
  if (size < text.size()) line += "...";
  return line;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace shunt
