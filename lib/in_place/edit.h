// An in-place edit in terms of bytes: open a gap, write a front into it, patch a few fields, remove
// a tail.
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
  kReserved = 1,  // space already in the file whose content is unused; nothing moves
  kInserted = 2,  // FALLOC_FL_INSERT_RANGE
  kShifted = 3,   // the bytes behind are moved, from back to front
};

// Offsets called old are those in the original file. Equal edits have equal effects.
struct Edit {
  RoomKind room = RoomKind::kReserved;
  std::uint64_t size_before = 0;

  // The gap: old bytes from `gap_at` on move by `gap_size`. Both are multiples of `unit`, the file
  // system's block; gap_size is 0 for a reserved room. In bytes.
  std::uint64_t gap_at = 0;
  std::uint64_t gap_size = 0;
  std::uint64_t unit = 4096;

  // Range of the new file that the edit writes: `front`, then zeros (with a gap) or what was there
  // (reserved). Begins at gap_at if there is a gap.
  ByteRange front_at;
  io::SourcePtr front;  // at most front_at.size() bytes; may read from the OriginalView

  // Old bytes within front_at that an undo must restore: with a gap from gap_at to the end,
  // otherwise the part that is written.
  ByteRange overwritten;

  // Ascending; disjoint from one another and from `overwritten`.
  std::vector<layout::FieldPatch> patches;

  // Old bytes that `front` is computed from. They stay untouched until the front is on disk. Their
  // digest shows after a crash whether the file is still the one that was planned for.
  ByteRange needed;

  // The tail: cut the file here (offset in the new file), or patch this field of `needed`. If both
  // are set the file is cut, unless another program has appended data: then the field is patched
  // and nothing is cut off.
  std::optional<std::uint64_t> cut_at;
  std::optional<layout::FieldPatch> mark;

  [[nodiscard]] std::uint64_t size_with_gap() const { return size_before + gap_size; }
  [[nodiscard]] std::uint64_t size_after() const { return cut_at.value_or(size_with_gap()); }
  // Returns where an old byte lies once the gap is open.
  [[nodiscard]] std::uint64_t moved(std::uint64_t old) const {
    return old >= gap_at ? old + gap_size : old;
  }
};

}  // namespace shunt::in_place
