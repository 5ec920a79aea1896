// Ranges of bytes as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"

namespace shunt {

// A range whose ends may depend on a size that is not known yet.
struct RangeText {
  std::optional<std::uint64_t> begin;   // nullopt: the last `length` bytes
  std::optional<std::uint64_t> length;  // nullopt: to the end

  // The bytes meant of `size`. Cut at the end, as in HTTP; kUsage when it begins behind it.
  // An empty source has a begin, too: from there any range is empty.
  [[nodiscard]] Result<ByteRange> of(std::uint64_t size) const;
};

// "START-END" (inclusive), "START+LENGTH", "START-", "-LAST"; each number may be a size ("1M").
// kUsage for anything else, for END below START and for a length of 0.
[[nodiscard]] Result<RangeText> parse_range(std::string_view text);

}  // namespace shunt
