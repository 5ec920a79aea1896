#include "shunt/text/columns.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace shunt {
namespace {

struct Characters {
  char32_t first;
  char32_t last;
};

// Unicode categories Mn, Me and Cf, as far as they are likely in file names.
constexpr std::array kJoined = {
    Characters{0x0300, 0x036f}, Characters{0x0483, 0x0489}, Characters{0x0591, 0x05bd},
    Characters{0x0610, 0x061a}, Characters{0x064b, 0x065f}, Characters{0x0e34, 0x0e3a},
    Characters{0x0e47, 0x0e4e}, Characters{0x1ab0, 0x1aff}, Characters{0x1dc0, 0x1dff},
    Characters{0x200b, 0x200f}, Characters{0x202a, 0x202e}, Characters{0x2060, 0x2064},
    Characters{0x20d0, 0x20ff}, Characters{0x3099, 0x309a}, Characters{0xfe00, 0xfe0f},
    Characters{0xfe20, 0xfe2f}, Characters{0xfeff, 0xfeff}, Characters{0xe0100, 0xe01ef}};

// UAX #11, wide and fullwidth, in blocks; and symbols that some terminals show as emoji.
constexpr std::array kWide = {
    Characters{0x1100, 0x115f},   Characters{0x231a, 0x231b},   Characters{0x2329, 0x232a},
    Characters{0x23e9, 0x23f3},   Characters{0x2600, 0x27bf},   Characters{0x2b00, 0x2bff},
    Characters{0x2e80, 0xa4cf},   Characters{0xa960, 0xa97f},   Characters{0xac00, 0xd7a3},
    Characters{0xf900, 0xfaff},   Characters{0xfe10, 0xfe19},   Characters{0xfe30, 0xfe6f},
    Characters{0xff00, 0xff60},   Characters{0xffe0, 0xffe6},   Characters{0x16fe0, 0x18cff},
    Characters{0x1b000, 0x1b2ff}, Characters{0x1f000, 0x1faff}, Characters{0x20000, 0x3fffd}};

template <std::size_t kCount>
bool is_among(const std::array<Characters, kCount>& sets, char32_t character) {
  return std::ranges::any_of(
      sets, [&](const Characters& set) { return character >= set.first && character <= set.last; });
}

std::size_t width_of(char32_t character) {
  if (character < 0x0300) return 1;
  if (is_among(kJoined, character)) return 0;
  return is_among(kWide, character) ? 2 : 1;
}

struct Character {
  std::size_t begin;  // in the text
  std::size_t width;
};

// Splits UTF-8 into characters. Invalid bytes count as one column each.
std::vector<Character> characters_of(std::string_view text) {
  std::vector<Character> found;
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    char32_t character = size == 1 ? first : first & (0xffu >> (size + 1));
    const std::size_t end = std::min(i + size, text.size());
    for (std::size_t k = i + 1; k < end; ++k) {
      character = (character << 6) | (static_cast<unsigned char>(text[k]) & 0x3fu);
    }
    found.push_back({i, width_of(character)});
    i = end;
  }
  return found;
}

constexpr std::string_view kDots = "...";

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (const Character& character : characters_of(text)) columns += character.width;
  return columns;
}

std::string without_end(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  if (columns < kDots.size()) return {};
  std::size_t left = columns - kDots.size();
  for (const Character& character : characters_of(text)) {
    if (character.width > left) {
      return std::string(text.substr(0, character.begin)).append(kDots);
    }
    left -= character.width;
  }
  return std::string(text);
}

std::string without_beginning(std::string_view text, std::size_t columns) {
  std::size_t wide = columns_of(text);
  if (wide <= columns) return std::string(text);
  if (columns < kDots.size()) return {};
  for (const Character& character : characters_of(text)) {
    // Not before a combining character whose base was removed.
    if (wide + kDots.size() <= columns && character.width > 0) {
      return std::string(kDots).append(text.substr(character.begin));
    }
    wide -= character.width;
  }
  return std::string(kDots);
}

}  // namespace shunt
