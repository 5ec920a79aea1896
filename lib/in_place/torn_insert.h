// Finds out from a file's extents how far an interrupted range insertion came.
//
// The kernel first grows the file, then moves its extents one by one, from the last to the first; a
// collapse moves them from the first to the last. Wherever either stops, the file is its old bytes
// with one hole of the inserted size somewhere: the invariant of in_place/shift.h, but without a
// cursor. The journal lists the holes that the file had before; comparing them with those it has
// now shows where the new one is.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/in_place/edit.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

// A file with more holes than this is not edited by insertion.
inline constexpr std::size_t kMaxHoles = 2048;

// Returns the holes of `file` behind `edit.gap_at` before the insertion, in whole blocks, up to the
// block in which the file ends. Returns kUnsuitable if there are too many, or if the file system
// does not report them.
[[nodiscard]] Result<std::vector<ByteRange>> holes_before(const io::File& file, const Edit& edit);

// Returns the cursors that fit `holes_now` (holes of the grown file, up to as many blocks),
// likeliest first: old bytes from the cursor on have moved. Empty if the holes are not those of an
// interrupted insertion. Cursors that differ only by holes stand for the same bytes; one of them is
// returned. If a file has blocks behind its end, the extents alone cannot tell the first state from
// the last.
[[nodiscard]] std::vector<std::uint64_t> possible_cursors(const Edit& edit,
                                                          const std::vector<ByteRange>& holes_then,
                                                          const std::vector<ByteRange>& holes_now);

// Returns the possible cursor for which `is_right`, which looks at the bytes, returns true;
// kIntegrity if there is none. `file` has the size that it has with the gap.
[[nodiscard]] Result<std::uint64_t> find_cursor(
    const io::File& file, const Edit& edit, const std::vector<ByteRange>& holes_then,
    const std::function<Result<bool>(std::uint64_t cursor)>& is_right);

}  // namespace shunt::in_place
