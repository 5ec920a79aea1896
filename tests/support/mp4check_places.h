// Where the bytes of the original's top level came to lie in the result.
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

// The two files laid side by side: all that is in the original, moov apart, stands in the result in
// the same order; only free boxes have come in between, the old moov may have become one, and one
// run of free boxes in front of the media may have given its room to moov.
struct Places {
  Box old_moov;
  Box new_moov;
  std::vector<Pair> pairs;       // ascending
  std::vector<Box> used_up;      // free boxes of the original whose room moov took
  std::uint64_t old_raw_at = 0;  // the bytes behind the last box
  std::uint64_t new_raw_at = 0;
  std::uint64_t raw_size = 0;

  // Where the byte at `old_address` is now, and how many bytes went with it from there on.
  [[nodiscard]] std::optional<std::pair<std::uint64_t, std::uint64_t>> moved(
      std::uint64_t old_address) const;
};

// Whether moov comes before every mdat.
[[nodiscard]] bool moov_in_front(const BoxList& list);

// Throws Mismatch when they cannot be laid side by side like that. Compares types and sizes only.
[[nodiscard]] Places lay_side_by_side(const Bytes& before, const Bytes& after);

}  // namespace shunt::test::check
