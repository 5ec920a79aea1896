// What an in-place edit is to do, in terms of bytes: open a gap, write a front into it, patch a few
// fields, take away a tail.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/io/source.h"
#include "shunt/layout/field_patch.h"

namespace shunt::in_place {

// Where the room for the front comes from.
enum class RoomKind : std::uint32_t {
  kReserved = 1,  // bytes of no meaning that are there already; nothing moves
  kInserted = 2,  // FALLOC_FL_INSERT_RANGE
  kShifted = 3,   // the bytes behind are moved, from back to front
};

// Positions called old are those of the original file. Edits with equal members have equal effects.
struct Edit {
  RoomKind room = RoomKind::kReserved;
  std::uint64_t size_before = 0;

  // The gap: from `gap_at` on, old bytes move by `gap_size`. Both are multiples of `unit`, the file
  // system's block; gap_size is 0 for a reserved room.
  std::uint64_t gap_at = 0;
  std::uint64_t gap_size = 0;
  std::uint64_t unit = 4096;

  // The bytes of the new file that are the edit's own: `front` first, then zeros (gap), or whatever
  // was there (reserved). Begins at gap_at where there is a gap.
  ByteRange front_at;
  io::SourcePtr front;  // at most front_at.size() bytes; may read from the OriginalView

  // Old bytes within front_at that an undo has to bring back: [gap_at, end) with a gap, the part to
  // be written without.
  ByteRange overwritten;

  std::vector<layout::FieldPatch>
      patches;  // ascending, apart from one another and from `overwritten`

  // Old bytes that `front` is computed from: untouched until the front is on disk. Their digest
  // tells after a crash whether the file is still the one that was planned for.
  ByteRange needed;

  // The tail: cut the file here (new position), or patch this field of `needed`. With both it is
  // the cut, unless another program has appended something, which nobody cuts off.
  std::optional<std::uint64_t> cut_at;
  std::optional<layout::FieldPatch> mark;

  [[nodiscard]] std::uint64_t size_with_gap() const { return size_before + gap_size; }
  [[nodiscard]] std::uint64_t size_after() const { return cut_at.value_or(size_with_gap()); }
  // Where an old byte lies once the gap is open.
  [[nodiscard]] std::uint64_t moved(std::uint64_t old) const {
    return old >= gap_at ? old + gap_size : old;
  }
};

}  // namespace shunt::in_place
