// Decimal numbers as people write them, kept exact: nothing passes through a double.
#pragma once

#include <cstdint>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt {

// digits / scale; scale is a power of ten.
struct Decimal {
  std::uint64_t digits = 0;
  std::uint64_t scale = 1;
  std::string_view rest;  // of the text, behind the number
};

// Reads a number with at most one point off the front of `text`: "1.5K" is 15 / 10, and "K". kUsage
// with a reason that goes on "it …" where there is no digit, or too many.
[[nodiscard]] Result<Decimal> read_decimal(std::string_view text);

}  // namespace shunt
