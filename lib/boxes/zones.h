// The regions of a file that move differently when moov moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "shunt/base/byte_range.h"

namespace shunt::boxes {

// The bounds stay the same while moov is being sized, only the distances change.
struct Zones {
  std::uint64_t insert_at = 0;  // moov's new place: nothing before it moves
  ByteRange moov;               // the old one; never before insert_at
  // More places where the distance changes, ascending: behind what has to grow outside moov.
  std::vector<std::uint64_t> cuts{};

  enum Zone : std::uint8_t { kBefore, kMedia, kMoov, kAfter };
  static constexpr std::size_t kCount = 4;
  [[nodiscard]] Zone of(std::uint64_t offset) const {
    if (offset < insert_at) return kBefore;
    if (offset < moov.begin) return kMedia;
    return offset < moov.end ? kMoov : kAfter;
  }

  // Whether `size` bytes at `offset` would not stay together. No bytes always do.
  [[nodiscard]] bool tears(std::uint64_t offset, std::uint64_t size) const;
  // The bytes around `offset` that stay together.
  [[nodiscard]] ByteRange whole_around(std::uint64_t offset) const;
  // The end of a sentence about such bytes, or about bytes in moov.
  [[nodiscard]] std::string_view why_torn(std::uint64_t offset, std::uint64_t size) const;
};

}  // namespace shunt::boxes
