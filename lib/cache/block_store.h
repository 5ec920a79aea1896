// Stores the blocks of one blob: in an entry of the cache, or in memory.
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

// The answer to claim(): who has the first `count` blocks of the run.
struct Claim {
  bool granted = false;  // true: the caller; false: another thread or process
  std::uint64_t count = 0;
};

// The answer to admit(). kBusy: other processes held the lock; the caller may ask again.
enum class Room { kGranted, kNone, kBusy };

// Blocks are numbered from 0; all have the same size except the last. Thread-safe, and safe with
// other processes that work on the same blob.
class BlockStore {
 public:
  virtual ~BlockStore() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;        // of the blob, in bytes
  [[nodiscard]] virtual std::uint64_t block_size() const = 0;  // in bytes; a power of two
  [[nodiscard]] std::uint64_t blocks() const {
    return size() / block_size() + (size() % block_size() != 0 ? 1 : 0);
  }

  // Returns true if this process knows the block to be present and trusted. Makes no system call.
  [[nodiscard]] virtual bool has(std::uint64_t block) const = 0;
  // Returns the first run of blocks in `within` for which has() is true; empty, at within.end, if
  // there is none.
  [[nodiscard]] virtual BlockRun next_known(BlockRun within) const = 0;
  // Looks for the block and checks it if it is not trusted yet. A block that does not match, or
  // cannot be read, is absent from then on. Returns has(block) afterwards.
  [[nodiscard]] virtual bool check(std::uint64_t block) = 0;
  // Returns the first run of blocks in `within` that have no record; empty, at within.end, if there
  // is none. Reads no data: a recorded block may still fail its check.
  [[nodiscard]] virtual BlockRun next_missing(BlockRun within) const = 0;

  // Claims `run`, which is not empty, for filling. The claims of a process that dies are released.
  // Blocks that are granted may have been filled in the meantime: check again.
  [[nodiscard]] virtual Claim claim(BlockRun run) = 0;
  virtual void release(BlockRun run) = 0;

  // Asks for room for `bytes` more bytes. May wait for other processes.
  [[nodiscard]] virtual Room admit(std::uint64_t bytes) = 0;
  // Stores whole blocks from block `first` on; `bytes` ends at the end of a block or of the blob.
  // Afterwards has() is true for them here, and in other processes after check().
  virtual Result<void> put(std::uint64_t first, std::span<const std::byte> bytes) = 0;
  // Reads bytes of blocks for which has() is true, within the blob. Returns false if they are gone.
  [[nodiscard]] virtual Result<bool> read(std::uint64_t offset, std::span<std::byte> into) = 0;

  // Number of blocks that it holds at most; further blocks replace others. 0: no limit.
  [[nodiscard]] virtual std::uint64_t capacity() const { return 0; }
  // The file that holds the blob, and the offset of byte 0 in it; null if there is none.
  [[nodiscard]] virtual io::FileRange backing_file() const { return {}; }

  // True once the whole blob has been verified; seal() records it.
  [[nodiscard]] virtual bool sealed() const { return false; }
  // `sum` is the SealSum of the verified bytes: a seal does not cover blocks that were replaced
  // after they had been read for the verification.
  virtual Result<void> seal(std::uint64_t /*sum*/) { return {}; }
  // True once the whole blob failed its digest: no reader uses it any more.
  [[nodiscard]] virtual bool discarded() const { return false; }
  virtual void discard() {}
};

}  // namespace shunt::cache
