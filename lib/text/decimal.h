// Exact decimal numbers as people write them; no doubles involved.
#pragma once

#include <cstdint>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt {

// The value is digits / scale; scale is a power of ten.
struct Decimal {
  std::uint64_t digits = 0;
  std::uint64_t scale = 1;
  std::string_view rest;  // of the text, after the number
};

// Parses a number with at most one point from the front of `text`: "1.5K" gives 15 / 10 and "K".
// Returns kUsage, with a reason that follows "it …", if there is no digit, or too many.
[[nodiscard]] Result<Decimal> read_decimal(std::string_view text);

}  // namespace shunt
