// Maps offsets of the old file to the new one: a piecewise shift.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shunt/base/byte_range.h"

namespace shunt::boxes {

// Pieces adjoin and cover 0 to 2^64; each moves its bytes by one distance. Immutable once built,
// and then thread-safe.
class OffsetMap {
 public:
  struct Piece {
    std::uint64_t begin = 0;  // it ends where the next one begins
    std::int64_t delta = 0;
  };

  // The identity, until pieces are added.
  OffsetMap() : pieces_{{0, 0}} {}

  // From `begin` on, bytes move by `delta`. Called in ascending order of `begin`; the same `begin`
  // again replaces the piece.
  void add(std::uint64_t begin, std::int64_t delta);

  // Returns nullopt if the result would be below 0 or above 2^64 - 1, which no planned map gives.
  [[nodiscard]] std::optional<std::uint64_t> map(std::uint64_t offset) const;

  // The piece that contains `offset`, as a range and its shift; for loops over many offsets.
  struct Stretch {
    ByteRange range;
    std::int64_t delta = 0;
  };
  [[nodiscard]] Stretch stretch_at(std::uint64_t offset) const;

  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  std::vector<Piece> pieces_;
};

}  // namespace shunt::boxes
