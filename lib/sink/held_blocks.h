// Blocks written to a virtual disk: some in memory, the rest in an unnamed file
// (sink/spill_file.h).
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

// The bytes of the whole disk, initially zeros. A block of zeros takes no memory.
//
// One thread at a time, with one exception: bytes of the pinned range do not change, so that
// another thread may read what next_run() returned for it until it is unpinned.
class HeldBlocks {
 public:
  static constexpr std::size_t kBlock = std::size_t{16} << 10;
  static constexpr std::size_t kLeafBlocks = 64;
  static constexpr std::uint64_t kLeaf = kBlock * kLeafBlocks;
  static constexpr std::uint64_t kLeastMemory = std::uint64_t{2} << 20;

  // When more than `memory` bytes are held, the blocks written longest ago are moved to a file in
  // the folder `spill`; if that is empty, a write that needs more memory fails with ENOSPC. The
  // index of blocks counts too if they are widely scattered. `memory` is at least kLeastMemory.
  HeldBlocks(std::uint64_t memory, std::string spill);
  ~HeldBlocks();
  HeldBlocks(const HeldBlocks&) = delete;
  HeldBlocks& operator=(const HeldBlocks&) = delete;

  // On an error, a prefix of `data` may have been written.
  Result<void> write(std::uint64_t offset, std::span<const std::byte> data);
  Result<void> zero(ByteRange range);
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<std::byte> into) const;

  // Adjoining bytes that are stored in the same way.
  struct Run {
    enum class Where { kNowhere, kMemory, kFile };
    Where where = Where::kNowhere;  // kNowhere: zeros
    ByteRange range;
    std::uint64_t place = 0;  // kFile: offset in the file, in bytes
    std::size_t parts = 0;    // number of spans in `memory`
    std::array<std::span<const std::byte>, kLeafBlocks> memory;
  };
  // Returns the run at the begin of `range`, which is not empty, cut at the end of `range`.
  [[nodiscard]] Result<Run> next_run(ByteRange range) const;
  [[nodiscard]] const io::File& file() const { return spilled_.file(); }

  // Keeps the blocks that `range` touches where they are. There is one pinned range at a time.
  void pin(ByteRange range) { pinned_ = range; }
  // Drops everything before `offset`, except the block that contains it.
  Result<void> forget_before(std::uint64_t offset);

  // All in bytes.
  [[nodiscard]] std::uint64_t in_memory() const { return blocks_in_memory_ * kBlock; }
  [[nodiscard]] std::uint64_t in_file() const { return spilled_.pages() * kPage; }
  // True if kRoom more bytes might not fit in memory.
  static constexpr std::uint64_t kRoom = std::uint64_t{512} << 10;
  [[nodiscard]] bool nearly_full() const { return has_no_room_for(kRoom); }
  // The most that memory and file together held.
  [[nodiscard]] std::uint64_t peak() const { return peak_; }
  // Upper bound on what memory alone would have held without spilling.
  [[nodiscard]] std::uint64_t peak_unspilled() const { return peak_blocks_ * kBlock; }
  // The sum of all that was moved to the file.
  [[nodiscard]] std::uint64_t spilled() const { return pages_spilled_ * kPage; }

 private:
  static constexpr std::size_t kPage = SpillFile::kPage;  // a block has several
  static constexpr std::size_t kBlockPages = kBlock / kPage;
  static_assert(kBlock % kPage == 0);

  // kLeafBlocks adjoining blocks, some of them in memory: bit n of the mask stands for block n.
  struct Leaf {
    std::uint64_t in_memory = 0;                 // 0 only while the leaf is made or removed
    std::array<std::byte*, kLeafBlocks> blocks;  // from the pool
    std::list<std::uint64_t>::iterator age;
  };
  using Leaves = std::map<std::uint64_t, Leaf>;  // by number

  [[nodiscard]] Leaf* find(std::uint64_t number) const;
  [[nodiscard]] bool has_no_room_for(std::uint64_t size) const;
  Result<void> write_in_block(std::uint64_t offset, std::span<const std::byte> data);
  // Returns true if any page of the block is in the file; then it is not in memory.
  Result<bool> is_in_file(std::uint64_t block) const;
  Result<void> write_in_file(std::uint64_t offset, std::span<const std::byte> data);
  void note_peak() { peak_ = std::max(peak_, in_memory() + in_file()); }
  std::byte* add_to_memory(std::uint64_t number, std::size_t slot);
  Result<void> make_room();
  Result<void> spill(Leaves::iterator leaf);
  // Drops the blocks of the mask; the leaf is removed with its last block.
  Leaves::iterator drop(Leaves::iterator leaf, std::uint64_t mask);
  void zero_in_memory(ByteRange range);
  Result<void> zero_in_file(ByteRange range);

  const std::uint64_t memory_;
  mutable Leaves leaves_;
  mutable Leaves::iterator last_;    // found last; leaves_.end(): none
  std::list<std::uint64_t> by_age_;  // leaves; least recently written first
  BlockPool pool_{kBlock};
  SpillFile spilled_;  // holds no block that is in memory
  ByteRange pinned_;
  std::uint64_t blocks_in_memory_ = 0;
  std::uint64_t pages_spilled_ = 0;
  std::uint64_t blocks_spilled_ = 0;  // ever, including dropped ones
  std::uint64_t peak_blocks_ = 0;     // of blocks_spilled_ and blocks_in_memory_ together
  std::uint64_t peak_ = 0;
};

// Returns true if all bytes are zero.
[[nodiscard]] bool is_zeros(std::span<const std::byte> bytes);

}  // namespace shunt::sink
