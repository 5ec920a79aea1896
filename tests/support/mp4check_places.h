// Where the top-level bytes of the original are in the result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/mp4check_bytes.h"

namespace shunt::test::check {

// A top-level box of the original, or the bytes behind the last one, and its counterpart.
struct Pair {
  Box old_box;
  Box new_box;
};

// Aligns the two files: everything in the original except moov is in the result in the same order;
// only free boxes were added, the old moov may have become one, and one run of free boxes in front
// of the media may have been used for moov.
struct Places {
  Box old_moov;
  Box new_moov;
  std::vector<Pair> pairs;       // ascending
  std::vector<Box> used_up;      // free boxes of the original that moov has used
  std::uint64_t old_raw_at = 0;  // the bytes behind the last box
  std::uint64_t new_raw_at = 0;
  std::uint64_t raw_size = 0;

  // Returns where the byte at `old_address` is now, and how many bytes from there on moved with it.
  [[nodiscard]] std::optional<std::pair<std::uint64_t, std::uint64_t>> moved(
      std::uint64_t old_address) const;
};

// Returns true if moov comes before every mdat.
[[nodiscard]] bool moov_in_front(const BoxList& list);

// Throws Mismatch if they cannot be aligned. Compares types and sizes only.
[[nodiscard]] Places lay_side_by_side(const Bytes& before, const Bytes& after);

}  // namespace shunt::test::check
