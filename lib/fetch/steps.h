// Step size and helper of all deliveries.
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/base/byte_range.h"

namespace shunt::fetch {

// Bytes between two checks of the cancel token and updates of the progress.
inline constexpr std::uint64_t kStep = std::uint64_t{4} << 20;

[[nodiscard]] inline std::uint64_t total(const std::vector<ByteRange>& ranges) {
  std::uint64_t sum = 0;
  for (const ByteRange range : ranges) sum += range.size();
  return sum;
}

}  // namespace shunt::fetch
