// Where the blocks of one blob are kept: in an entry of the cache, or in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"

namespace shunt::cache {

// Consecutive blocks, [begin, end).
struct BlockRun {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  [[nodiscard]] constexpr std::uint64_t count() const { return end - begin; }
  [[nodiscard]] constexpr bool empty() const { return begin == end; }
  [[nodiscard]] constexpr bool contains(std::uint64_t block) const {
    return begin <= block && block < end;
  }
  [[nodiscard]] constexpr bool meets(BlockRun other) const {
    return begin < other.end && other.begin < end;
  }
  friend constexpr bool operator==(BlockRun, BlockRun) = default;
};

// The answer to a claim: who has the first `count` blocks of what was asked for.
struct Claim {
  bool granted = false;  // true: the caller; false: somebody else
  std::uint64_t count = 0;
};

// The answer to a wish for room. kBusy: others kept it from being found out; it may be asked again.
enum class Room { kGranted, kNone, kBusy };

// Blocks are numbered from 0; all have the same size but for the last one. Thread-safe, and ready
// for other processes at work on the same blob.
class BlockStore {
 public:
  virtual ~BlockStore() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;        // of the blob
  [[nodiscard]] virtual std::uint64_t block_size() const = 0;  // a power of two
  [[nodiscard]] std::uint64_t blocks() const {
    return size() / block_size() + (size() % block_size() != 0 ? 1 : 0);
  }

  // Whether this process knows that the block is there and may be trusted. Makes no system call.
  [[nodiscard]] virtual bool has(std::uint64_t block) const = 0;
  // Of [begin, end), the first run of blocks for which has() is true; empty, at `end`, when there
  // is none.
  [[nodiscard]] virtual BlockRun next_known(BlockRun within) const = 0;
  // Finds out whether the block is there, and checks one that nobody has checked since the machine
  // was started; one that does not match is absent from then on. has() is true afterwards, or the
  // block has to be fetched. What cannot be read counts as absent.
  [[nodiscard]] virtual bool check(std::uint64_t block) = 0;
  // The first run of blocks that nobody has recorded; empty, at `end`, when there is none. Reads no
  // data: a recorded block may still fail its check.
  [[nodiscard]] virtual BlockRun next_missing(BlockRun within) const = 0;

  // Asks to be the one who fills `run`, which is not empty. A process that dies gives back what it
  // claimed. What is granted may have been filled in the meantime: look again.
  [[nodiscard]] virtual Claim claim(BlockRun run) = 0;
  virtual void release(BlockRun run) = 0;

  // Room for so many bytes more. May wait for other processes.
  [[nodiscard]] virtual Room admit(std::uint64_t bytes) = 0;
  // Takes whole blocks from `first` on; `bytes` ends at a block's end or at the blob's. has() is
  // true for them afterwards, here and, after check(), in other processes.
  virtual Result<void> put(std::uint64_t first, std::span<const std::byte> bytes) = 0;
  // Reads bytes of blocks that has() is true for, within the blob. False when they are not there
  // any more.
  [[nodiscard]] virtual Result<bool> read(std::uint64_t offset, std::span<std::byte> into) = 0;

  // How many blocks it holds at most before it drops others; 0: all of them.
  [[nodiscard]] virtual std::uint64_t capacity() const { return 0; }
  // Where byte 0 lies in a file; null when it does not.
  [[nodiscard]] virtual io::FileRange backing_file() const { return {}; }

  // True once the whole blob was verified; seal() records it.
  [[nodiscard]] virtual bool sealed() const { return false; }
  // `sum` is the SealSum of the bytes that were verified: a seal does not cover blocks that were
  // replaced since they were read for it.
  virtual Result<void> seal(std::uint64_t /*sum*/) { return {}; }
  // True once the whole blob did not match its digest: no reader uses any of it again.
  [[nodiscard]] virtual bool discarded() const { return false; }
  virtual void discard() {}
};

}  // namespace shunt::cache
