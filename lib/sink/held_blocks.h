// What has been written to a disk that is not there: blocks by their place, few in memory, the rest
// in a file without a name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/byte_range.h"
#include "base/result.h"
#include "io/file.h"
#include "sink/block_pool.h"

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
  static constexpr std::uint64_t kLeastMemory = 2 * kLeaf;

  // Above `memory` bytes of blocks, those written longest ago go to a file in the folder `spill`;
  // without one (empty), a write that needs more is an ENOSPC error. `memory` is at least
  // kLeastMemory.
  HeldBlocks(std::uint64_t memory, std::string spill);
  ~HeldBlocks();
  HeldBlocks(const HeldBlocks&) = delete;
  HeldBlocks& operator=(const HeldBlocks&) = delete;

  // An error may leave the first bytes of `data` written.
  Result<void> write(std::uint64_t offset, std::span<const std::byte> data);
  Result<void> zero(ByteRange range);
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) const;

  // Bytes that are alike in where they are.
  struct Run {
    enum class Where { kNowhere, kMemory, kFile };
    Where where = Where::kNowhere;  // kNowhere: zeros
    ByteRange range;
    std::size_t parts = 0;  // of `memory`
    std::array<std::span<const std::byte>, kLeafBlocks> memory;
  };
  // The run at the beginning of `range`, which is not empty, as far as it goes within it.
  [[nodiscard]] Run next_run(ByteRange range) const;
  [[nodiscard]] const io::File& file() const { return file_; }

  // Blocks that `range` touches stay where they are. There is one pinned range.
  void pin(ByteRange range) { pinned_ = range; }
  // Gives up everything before `offset`, except for the block that it lies in.
  void forget_before(std::uint64_t offset);

  [[nodiscard]] std::uint64_t in_memory() const { return blocks_in_memory_ * kBlock; }
  [[nodiscard]] std::uint64_t in_file() const { return blocks_in_file_ * kBlock; }
  // A piece of kRoom bytes may not find room in memory.
  static constexpr std::uint64_t kRoom = std::uint64_t{512} << 10;
  [[nodiscard]] bool nearly_full() const {
    return blocks_in_memory_ + kRoom / kBlock > most_blocks_;
  }
  // Of both together, the most there ever was; and all that was ever moved to the file.
  [[nodiscard]] std::uint64_t peak() const { return peak_blocks_ * kBlock; }
  [[nodiscard]] std::uint64_t spilled() const { return blocks_spilled_ * kBlock; }

 private:
  using Blocks = std::array<std::byte*, kLeafBlocks>;  // of the pool
  // kLeafBlocks neighbours; bit n of a mask stands for block n. Small when nothing is in memory.
  struct Leaf {
    std::uint64_t in_memory = 0;
    std::uint64_t in_file = 0;
    std::unique_ptr<Blocks> blocks;          // there while in_memory is not 0
    std::list<std::uint64_t>::iterator age;  // likewise
  };
  using Leaves = std::map<std::uint64_t, Leaf>;  // by number

  Leaf& leaf_at(std::uint64_t number);
  [[nodiscard]] const Leaf* find(std::uint64_t number) const;
  Result<void> write_in_block(std::uint64_t block, std::size_t at, std::span<const std::byte> data);
  std::byte* add_to_memory(std::uint64_t number, Leaf& leaf, std::size_t slot);
  Result<void> zero_in_leaf(Leaf& leaf, ByteRange range);
  Result<void> make_room();
  Result<void> spill(std::uint64_t number, Leaf& leaf);
  void drop_from_memory(Leaf& leaf, std::size_t slot);
  void drop_from_file(Leaf& leaf, std::uint64_t first_block, std::uint64_t mask);
  Leaves::iterator remove(Leaves::iterator leaf);

  const std::uint64_t most_blocks_;
  const std::string spill_;
  Leaves leaves_;
  mutable Leaves::const_iterator last_;  // found last; leaves_.end(): none
  std::list<std::uint64_t> by_age_;      // leaves in memory; the one written longest ago first
  BlockPool pool_{kBlock};
  io::File file_;  // open once something was spilled
  ByteRange pinned_;
  std::uint64_t blocks_in_memory_ = 0;
  std::uint64_t blocks_in_file_ = 0;
  std::uint64_t blocks_spilled_ = 0;
  std::uint64_t peak_blocks_ = 0;
};

// Whether all of `bytes` are zero.
[[nodiscard]] bool is_zeros(std::span<const std::byte> bytes);

}  // namespace shunt::sink
