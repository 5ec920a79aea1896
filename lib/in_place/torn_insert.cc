#include "shunt/in_place/torn_insert.h"

#include <algorithm>

#include "shunt/base/checked.h"
#include "shunt/io/extent_map.h"

namespace shunt::in_place {
namespace {

std::uint64_t last_block_end(const Edit& edit) {
  return round_up(edit.size_before, edit.unit);
}

void add_joined(std::vector<ByteRange>& holes, ByteRange hole) {
  if (hole.empty()) return;
  if (!holes.empty() && holes.back().end == hole.begin) {
    holes.back().end = hole.end;
  } else {
    holes.push_back(hole);
  }
}

// Returns the holes of the grown file if old bytes from `cursor` on have moved.
std::vector<ByteRange> predict(const Edit& edit, const std::vector<ByteRange>& holes_then,
                               std::uint64_t cursor) {
  std::vector<ByteRange> holes;
  const auto gap = ByteRange::of(cursor, edit.gap_size);
  bool gap_added = false;
  for (const ByteRange hole : holes_then) {
    const ByteRange before{hole.begin, std::clamp(cursor, hole.begin, hole.end)};
    const ByteRange behind{before.end, hole.end};
    add_joined(holes, before);
    if (!behind.empty()) {
      if (!gap_added) add_joined(holes, gap);
      gap_added = true;
      add_joined(holes, behind.moved_by(edit.gap_size));
    }
  }
  if (!gap_added) add_joined(holes, gap);
  return holes;
}

// Returns the parts of `holes` from `begin` on.
std::vector<ByteRange> from(const std::vector<ByteRange>& holes, std::uint64_t begin) {
  std::vector<ByteRange> part;
  for (const ByteRange hole : holes) {
    add_joined(part, {std::max(hole.begin, std::min(begin, hole.end)), hole.end});
  }
  return part;
}

}  // namespace

Result<std::vector<ByteRange>> holes_before(const io::File& file, const Edit& edit) {
  return io::holes_of(file, {edit.gap_at, last_block_end(edit)}, kMaxHoles);
}

std::vector<std::uint64_t> possible_cursors(const Edit& edit,
                                            const std::vector<ByteRange>& holes_then,
                                            const std::vector<ByteRange>& holes_now) {
  std::vector<std::uint64_t> cursors;
  // Torn: the new hole begins where a present hole begins, possibly joined to an old one. These
  // candidates come first, since they account for every block.
  for (const ByteRange hole : holes_now) {
    if (hole.size() < edit.gap_size || hole.begin == edit.gap_at) continue;
    if (predict(edit, holes_then, hole.begin) == holes_now) cursors.push_back(hole.begin);
  }
  // Finished: the gap itself may have been written to; behind it every block counts.
  const std::uint64_t behind_gap = edit.gap_at + edit.gap_size;
  if (from(predict(edit, holes_then, edit.gap_at), behind_gap) == from(holes_now, behind_gap)) {
    cursors.push_back(edit.gap_at);
  }
  // Only grown: the old bytes are in place. Blocks that the file had behind its end, which are now
  // within it, would hide the hole.
  const std::uint64_t old_end = last_block_end(edit);
  std::vector<ByteRange> within;
  for (const ByteRange hole : holes_now) {
    add_joined(within, {std::min(hole.begin, old_end), std::min(hole.end, old_end)});
  }
  if (within == holes_then && std::ranges::find(cursors, old_end) == cursors.end()) {
    cursors.push_back(old_end);
  }
  return cursors;
}

Result<std::uint64_t> find_cursor(
    const io::File& file, const Edit& edit, const std::vector<ByteRange>& holes_then,
    const std::function<Result<bool>(std::uint64_t cursor)>& is_right) {
  const ByteRange grown{edit.gap_at, last_block_end(edit) + edit.gap_size};
  SHUNT_ASSIGN(const std::vector<ByteRange> holes_now,
               io::holes_of(file, grown, 2 * kMaxHoles + 2));
  for (const std::uint64_t cursor : possible_cursors(edit, holes_then, holes_now)) {
    SHUNT_ASSIGN(const bool right, is_right(cursor));
    if (right) return cursor;
  }
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.path = file.path();
  error.operation = "recover";
  error.reason = "its extents are not those that an interrupted insertion leaves";
  error.hint = "the file has been changed since; the file and its journal are left unchanged";
  return error;
}

}  // namespace shunt::in_place
