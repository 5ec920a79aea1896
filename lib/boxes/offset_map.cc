#include "shunt/boxes/offset_map.h"

#include <algorithm>
#include <limits>

#include "shunt/base/checked.h"

namespace shunt::boxes {

void OffsetMap::add(std::uint64_t begin, std::int64_t delta) {
  if (pieces_.back().begin == begin) {
    pieces_.back().delta = delta;
  } else if (pieces_.back().delta != delta) {
    pieces_.push_back({begin, delta});
  }
}

OffsetMap::Stretch OffsetMap::stretch_at(std::uint64_t offset) const {
  auto next =
      std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                       [](std::uint64_t value, const Piece& piece) { return value < piece.begin; });
  const std::uint64_t end =
      next == pieces_.end() ? std::numeric_limits<std::uint64_t>::max() : next->begin;
  --next;
  return {{next->begin, end}, next->delta};
}

std::optional<std::uint64_t> OffsetMap::map(std::uint64_t offset) const {
  return checked_shift(offset, stretch_at(offset).delta);
}

}  // namespace shunt::boxes
