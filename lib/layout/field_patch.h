// A big-endian integer in a file that gets a new value in the same place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "shunt/base/big_endian.h"
#include "shunt/base/byte_range.h"

namespace shunt::layout {

struct FieldPatch {
  std::uint64_t at = 0;     // offset in the original file
  std::uint32_t width = 4;  // bytes: 4 or 8
  std::uint64_t old_value = 0;
  std::uint64_t new_value = 0;

  [[nodiscard]] ByteRange range() const { return ByteRange::of(at, width); }

  using Bytes = std::array<std::byte, 8>;
  // Returns `value` encoded; the first `width` bytes are the field.
  [[nodiscard]] Bytes encode(std::uint64_t value) const {
    Bytes bytes{};
    if (width == 8) {
      store_be<std::uint64_t>(bytes.data(), value);
    } else {
      store_be<std::uint32_t>(bytes.data(), static_cast<std::uint32_t>(value));
    }
    return bytes;
  }
};

}  // namespace shunt::layout
