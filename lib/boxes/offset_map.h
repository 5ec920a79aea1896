// Where each byte of the old file lies in the new one: a piecewise shift.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shunt/base/byte_range.h"

namespace shunt::boxes {

// Pieces follow one another from 0 to 2^64; each moves all its bytes by the same distance.
// Immutable once built; read by any thread.
class OffsetMap {
 public:
  struct Piece {
    std::uint64_t begin = 0;  // it ends where the next begins
    std::int64_t delta = 0;
  };

  // The identity, until pieces are added.
  OffsetMap() : pieces_{{0, 0}} {}

  // From `begin` on, bytes move by `delta`. Called in ascending order of `begin`; the same `begin`
  // again replaces the piece.
  void add(std::uint64_t begin, std::int64_t delta);

  // nullopt when the place would fall below 0 or past 2^64, which no planned map does.
  [[nodiscard]] std::optional<std::uint64_t> map(std::uint64_t offset) const;

  // The piece that `offset` lies in, as a range and its shift; for loops over many offsets.
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
