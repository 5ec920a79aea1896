// The zones of a file that move by different distances when moov moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "shunt/base/byte_range.h"

namespace shunt::boxes {

// The bounds are fixed while moov is being sized; only the distances change.
struct Zones {
  std::uint64_t insert_at = 0;  // moov's new place; nothing before it moves
  ByteRange moov;               // the old moov; not before insert_at
  // Further offsets where the distance changes, ascending: behind boxes outside moov that grow.
  std::vector<std::uint64_t> cuts{};

  enum Zone : std::uint8_t { kBefore, kMedia, kMoov, kAfter };
  static constexpr std::size_t kCount = 4;
  [[nodiscard]] Zone of(std::uint64_t offset) const {
    if (offset < insert_at) return kBefore;
    if (offset < moov.begin) return kMedia;
    return offset < moov.end ? kMoov : kAfter;
  }

  // Returns true if the `size` bytes at `offset` would be split. 0 bytes never are.
  [[nodiscard]] bool tears(std::uint64_t offset, std::uint64_t size) const;
  // Returns the range around `offset` that stays together.
  [[nodiscard]] ByteRange whole_around(std::uint64_t offset) const;
  // Returns why such bytes, or bytes in moov, are a problem, as the end of a sentence.
  [[nodiscard]] std::string_view why_torn(std::uint64_t offset, std::uint64_t size) const;
};

}  // namespace shunt::boxes
