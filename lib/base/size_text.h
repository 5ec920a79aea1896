// Sizes as people write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace shunt {

// "4096", "64K", "1.5G", "8MiB" (powers of 1024), "10MB" (powers of 1000) to bytes. Upper and lower
// case alike. Negative, empty, fractional bytes, trailing text and overflow are kUsage errors.
Result<std::uint64_t> parse_size(std::string_view text);

// 9,012 -> "8.8 KiB": three significant digits, powers of 1024.
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace shunt
