// How delivering goes on, whatever it delivers to.
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/base/byte_range.h"

namespace shunt::fetch {

// Between two looks at the cancel token, and two strokes of the progress bar.
inline constexpr std::uint64_t kStep = std::uint64_t{4} << 20;

[[nodiscard]] inline std::uint64_t total(const std::vector<ByteRange>& ranges) {
  std::uint64_t sum = 0;
  for (const ByteRange range : ranges) sum += range.size();
  return sum;
}

}  // namespace shunt::fetch
