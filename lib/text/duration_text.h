// Spans of time as people write and read them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt {

// "2", "2s", "0.5s", "250ms", "3m" or "1h" to milliseconds; a bare number is seconds. At most 24
// days. Negative, empty, trailing text and more than that are kUsage errors.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// "2 s", "0.25 s".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds span);

}  // namespace shunt
