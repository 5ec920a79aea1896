// What has been written to a disk that is not there: blocks by their place, few in memory, the rest
// in a file without a name (sink/spill_file.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/sink/block_pool.h"
#include "shunt/sink/spill_file.h"

namespace shunt::sink {

// Bytes of the whole disk, all zeros at the beginning. A block of zeros takes no memory.
//
// One thread at a time, with one exception: the bytes of a pinned range are not touched, so that
// another thread may read what next_run() gave of it until it is unpinned.
class HeldBlocks {
 public:
  static constexpr std::size_t kBlock = std::size_t{16} << 10;
  static constexpr std::size_t kLeafBlocks = 64;
  static constexpr std::uint64_t kLeaf = kBlock * kLeafBlocks;
  static constexpr std::uint64_t kLeastMemory = std::uint64_t{2} << 20;

  // Above `memory` bytes, blocks written longest ago go to a file in the folder `spill`; without
  // one (empty), a write that needs more is an ENOSPC error. What it takes to find the blocks
  // counts, when they lie so scattered that it is much. `memory` is at least kLeastMemory.
  HeldBlocks(std::uint64_t memory, std::string spill);
  ~HeldBlocks();
  HeldBlocks(const HeldBlocks&) = delete;
  HeldBlocks& operator=(const HeldBlocks&) = delete;

  // An error may leave the first bytes of `data` written.
  Result<void> write(std::uint64_t offset, std::span<const std::byte> data);
  Result<void> zero(ByteRange range);
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<std::byte> into) const;

  // Bytes that are alike in where they are.
  struct Run {
    enum class Where { kNowhere, kMemory, kFile };
    Where where = Where::kNowhere;  // kNowhere: zeros
    ByteRange range;
    std::uint64_t place = 0;  // kFile: where in the file
    std::size_t parts = 0;    // of `memory`
    std::array<std::span<const std::byte>, kLeafBlocks> memory;
  };
  // The run at the beginning of `range`, which is not empty, as far as it goes within it.
  [[nodiscard]] Result<Run> next_run(ByteRange range) const;
  [[nodiscard]] const io::File& file() const { return spilled_.file(); }

  // Blocks that `range` touches stay where they are. There is one pinned range.
  void pin(ByteRange range) { pinned_ = range; }
  // Gives up everything before `offset`, except for the block that it lies in.
  Result<void> forget_before(std::uint64_t offset);

  [[nodiscard]] std::uint64_t in_memory() const { return blocks_in_memory_ * kBlock; }
  [[nodiscard]] std::uint64_t in_file() const { return spilled_.pages() * kPage; }
  // A piece of kRoom bytes may not find room in memory.
  static constexpr std::uint64_t kRoom = std::uint64_t{512} << 10;
  [[nodiscard]] bool nearly_full() const { return has_no_room_for(kRoom); }
  // Of both together, the most there ever was; and all that was ever moved to the file.
  [[nodiscard]] std::uint64_t peak() const { return peak_; }
  // The most that memory would have held at once, had it been enough; or more.
  [[nodiscard]] std::uint64_t peak_unspilled() const { return peak_blocks_ * kBlock; }
  [[nodiscard]] std::uint64_t spilled() const { return pages_spilled_ * kPage; }

 private:
  static constexpr std::size_t kPage = SpillFile::kPage;  // of which a block has several
  static constexpr std::size_t kBlockPages = kBlock / kPage;
  static_assert(kBlock % kPage == 0);

  // kLeafBlocks neighbours, some of which are in memory; bit n of the mask stands for block n.
  struct Leaf {
    std::uint64_t in_memory = 0;                 // not 0 but while the leaf is made or taken away
    std::array<std::byte*, kLeafBlocks> blocks;  // of the pool
    std::list<std::uint64_t>::iterator age;
  };
  using Leaves = std::map<std::uint64_t, Leaf>;  // by number

  [[nodiscard]] Leaf* find(std::uint64_t number) const;
  [[nodiscard]] bool has_no_room_for(std::uint64_t size) const;
  Result<void> write_in_block(std::uint64_t offset, std::span<const std::byte> data);
  Result<bool> is_in_file(std::uint64_t block) const;  // a page of it, so that it is not in memory
  Result<void> write_in_file(std::uint64_t offset, std::span<const std::byte> data);
  void note_peak() { peak_ = std::max(peak_, in_memory() + in_file()); }
  std::byte* add_to_memory(std::uint64_t number, std::size_t slot);
  Result<void> make_room();
  Result<void> spill(Leaves::iterator leaf);
  // Blocks of the mask; the leaf goes with its last one.
  Leaves::iterator drop(Leaves::iterator leaf, std::uint64_t mask);
  void zero_in_memory(ByteRange range);
  Result<void> zero_in_file(ByteRange range);

  const std::uint64_t memory_;
  mutable Leaves leaves_;            // of which find() only looks at one
  mutable Leaves::iterator last_;    // found last; leaves_.end(): none
  std::list<std::uint64_t> by_age_;  // leaves; the one written longest ago first
  BlockPool pool_{kBlock};
  SpillFile spilled_;  // of a block that is in memory it has nothing
  ByteRange pinned_;
  std::uint64_t blocks_in_memory_ = 0;
  std::uint64_t pages_spilled_ = 0;
  std::uint64_t blocks_spilled_ = 0;  // whatever has become of them
  std::uint64_t peak_blocks_ = 0;     // of those and blocks_in_memory_
  std::uint64_t peak_ = 0;
};

// Whether all of `bytes` are zero.
[[nodiscard]] bool is_zeros(std::span<const std::byte> bytes);

}  // namespace shunt::sink
