// Time spans as people write them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt {

// Parses "2", "2s", "0.5s", "250ms", "3m" or "1h"; a bare number is seconds. At most 24 days.
// Returns kUsage for negative or larger values, empty text and trailing text.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// Returns a text such as "2 s" or "0.25 s".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds span);

}  // namespace shunt
