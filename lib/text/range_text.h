// Byte ranges as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"

namespace shunt {

// A range relative to a size that may not be known yet.
struct RangeText {
  std::optional<std::uint64_t> begin;   // nullopt: the last `length` bytes
  std::optional<std::uint64_t> length;  // nullopt: to the end

  // Returns the range within `size` bytes, cut at the end as in HTTP; kUsage if it begins behind
  // the end. For an empty source, any range from 0 is empty and valid.
  [[nodiscard]] Result<ByteRange> of(std::uint64_t size) const;
};

// Parses "START-END" (inclusive), "START+LENGTH", "START-" or "-LAST"; numbers may be sizes ("1M").
// Returns kUsage for anything else, for END below START and for length 0.
[[nodiscard]] Result<RangeText> parse_range(std::string_view text);

}  // namespace shunt
