// Sizes as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt {

// Parses "4096", "64K", "1.5G", "8MiB" (powers of 1024) or "10MB" (powers of 1000); case does not
// matter. Returns kUsage for negative or empty text, a fraction that is not a whole number of
// bytes, trailing text and overflow.
Result<std::uint64_t> parse_size(std::string_view text);

// Returns the size for parse_size, in the largest unit that gives a whole number: "128M".
[[nodiscard]] std::string size_to_type(std::uint64_t bytes);

// Returns a text with three significant digits, in powers of 1024: 9,012 -> "8.80 KiB".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace shunt
