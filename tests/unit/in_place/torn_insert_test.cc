#include "shunt/in_place/torn_insert.h"

#include <rapidcheck.h>

#include "support/catch.h"

namespace shunt::in_place {
namespace {

constexpr std::uint64_t kBlock = 4096;

// A file as a row of blocks, each with storage or without: what FIEMAP would say of it.
using Blocks = std::vector<bool>;

std::vector<ByteRange> holes_of(const Blocks& blocks, std::uint64_t first) {
  std::vector<ByteRange> holes;
  for (std::size_t i = first; i < blocks.size(); ++i) {
    if (blocks[i]) continue;
    if (!holes.empty() && holes.back().end == i * kBlock) {
      holes.back().end += kBlock;
    } else {
      holes.push_back(ByteRange::of(i * kBlock, kBlock));
    }
  }
  return holes;
}

// The blocks after an insertion of `gap` blocks that stopped with the hole at `cursor`.
Blocks torn(Blocks blocks, std::size_t cursor, std::size_t gap) {
  blocks.insert(blocks.begin() + static_cast<std::ptrdiff_t>(cursor), gap, false);
  return blocks;
}

// `gap` blocks inserted in front of block `at` of a file of `count` blocks.
Edit insertion(std::size_t count, std::size_t at, std::size_t gap) {
  Edit edit;
  edit.room = RoomKind::kInserted;
  edit.unit = kBlock;
  edit.size_before = count * kBlock;
  edit.gap_at = at * kBlock;
  edit.gap_size = gap * kBlock;
  edit.front_at = {edit.gap_at, edit.gap_at + edit.gap_size + 32};
  return edit;
}

TEST_CASE("the cursor of a torn insertion is found, up to moves of nothing") {
  CHECK(rc::check([] {
    const auto count = *rc::gen::inRange<std::size_t>(2, 40);
    const auto at = *rc::gen::inRange<std::size_t>(0, count);
    const auto gap = *rc::gen::inRange<std::size_t>(1, 6);
    Blocks blocks(count);
    for (std::size_t i = 0; i < count; ++i) blocks[i] = *rc::gen::inRange(0, 3) != 0;
    const auto cursor = *rc::gen::inRange<std::size_t>(at, count + 1);

    Edit edit = insertion(count, at, gap);
    edit.size_before -= *rc::gen::inRange<std::uint64_t>(0, kBlock);
    const Blocks after = torn(blocks, cursor, gap);
    const auto found = possible_cursors(edit, holes_of(blocks, at), holes_of(after, at));
    RC_ASSERT(!found.empty());
    // Whatever cursor is named, closing the gap there gives the same file: what lies between it and
    // the true one has no storage at all.
    RC_ASSERT(found.front() % kBlock == 0);
    RC_ASSERT(torn(blocks, found.front() / kBlock, gap) == after);
  }));
}

TEST_CASE("a finished insertion is known although its front has been written") {
  const Edit edit = insertion(10, 0, 3);
  const Blocks now = {true, true, false, true, true, true, true,
                      true, true, true,  true, true, true};
  CHECK(possible_cursors(edit, {}, holes_of(now, 0)).front() == 0U);
}

TEST_CASE("all but the first block have moved: that is not finished") {
  const Edit edit = insertion(10, 0, 2);
  const Blocks dense(10, true);
  CHECK(possible_cursors(edit, {}, holes_of(torn(dense, 1, 2), 0)).front() == kBlock);
  Blocks sparse = dense;
  for (std::size_t i = 1; i < 6; ++i) sparse[i] = false;
  CHECK(possible_cursors(edit, holes_of(sparse, 0), holes_of(torn(sparse, 1, 2), 0)).front() ==
        kBlock);
}

TEST_CASE("blocks behind the end may hide the hole of a file that has only grown") {
  const Edit edit = insertion(10, 0, 2);
  // Not one hole: finished and written, or only grown. The bytes have to tell.
  const auto found = possible_cursors(edit, {}, {});
  CHECK(found == std::vector<std::uint64_t>{0, 10 * kBlock});
}

TEST_CASE("holes that no insertion leaves are not explained away") {
  const Edit edit = insertion(10, 0, 2);
  const std::vector<ByteRange> one_block = {ByteRange::of(6 * kBlock, kBlock)};
  CHECK(possible_cursors(edit, {}, one_block).empty());
  const std::vector<ByteRange> two_gaps = {ByteRange::of(4 * kBlock, 2 * kBlock),
                                           ByteRange::of(8 * kBlock, 2 * kBlock)};
  CHECK(possible_cursors(edit, {}, two_gaps).empty());
}

}  // namespace
}  // namespace shunt::in_place
