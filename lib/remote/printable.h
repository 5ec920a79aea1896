// Text of servers and programs, as it may be shown.
#pragma once

#include <string>
#include <string_view>

namespace shunt::remote {

// In one line of at most `limit` bytes: what could steer a terminal becomes '?'.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace shunt::remote
