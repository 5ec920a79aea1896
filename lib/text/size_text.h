// Sizes as people write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt {

// "4096", "64K", "1.5G", "8MiB" (powers of 1024), "10MB" (powers of 1000) to bytes. Upper and lower
// case alike. Negative, empty, a fraction that is no whole number of bytes, trailing text and
// overflow are kUsage errors.
Result<std::uint64_t> parse_size(std::string_view text);

// As parse_size takes it, in the largest unit that leaves a whole number: "128M".
[[nodiscard]] std::string size_to_type(std::uint64_t bytes);

// 9,012 -> "8.80 KiB": three significant digits, powers of 1024.
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace shunt
