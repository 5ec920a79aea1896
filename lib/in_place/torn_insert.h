// Telling from the storage of a file how far an interrupted range insertion came.
//
// The kernel grows the file first and then moves its extents one by one, from the last to the
// first; a collapse moves them the other way. Whenever either stops, the file is its old bytes with
// one hole of the inserted size somewhere: the invariant of in_place/shift.h, without a cursor. The
// holes that the file had before, which the journal keeps, tell where the new one is.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/in_place/edit.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

// At most so many holes are kept; a file with more is not edited by insertion.
inline constexpr std::size_t kMaxHoles = 2048;

// The holes of `file` behind `edit.gap_at`, before the insertion. Whole blocks, up to the block in
// which the file ends. kUnsuitable with too many, or where the file system does not tell.
[[nodiscard]] Result<std::vector<ByteRange>> holes_before(const io::File& file, const Edit& edit);

// The cursors that `holes_now` (of the grown file, up to as many blocks) allows, likeliest first:
// old bytes from there on have moved. Empty when the holes are not those of an interrupted
// insertion. Several cursors that differ by holes alone stand for the same bytes; one of them is
// given. Where a file has blocks behind its end, the extents alone cannot tell the first state from
// the last.
[[nodiscard]] std::vector<std::uint64_t> possible_cursors(const Edit& edit,
                                                          const std::vector<ByteRange>& holes_then,
                                                          const std::vector<ByteRange>& holes_now);

// The one of them that `is_right` confirms, by the bytes; kIntegrity when it confirms none. `file`
// has the size that it gets with the gap.
[[nodiscard]] Result<std::uint64_t> find_cursor(
    const io::File& file, const Edit& edit, const std::vector<ByteRange>& holes_then,
    const std::function<Result<bool>(std::uint64_t cursor)>& is_right);

}  // namespace shunt::in_place
