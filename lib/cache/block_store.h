// Where the blocks of one blob are kept: in an entry of the cache, or in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_range.h"
#include "base/result.h"
#include "io/source.h"

namespace shunt::cache {

// Blocks are numbered from 0; all have the same size but for the last one. Thread-safe, and ready
// for other processes at work on the same blob.
class BlockStore {
 public:
  virtual ~BlockStore() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;        // of the blob
  [[nodiscard]] virtual std::uint64_t block_size() const = 0;  // a power of two

  // Whether the block is there and was checked since the machine was started. Cheap: no system call
  // for what this process has asked before.
  [[nodiscard]] virtual bool has(std::uint64_t block) = 0;
  // The same, but looks again, and checks a block that was written before the last start; one that
  // does not match is absent from then on. Errors of reading count as absent.
  [[nodiscard]] virtual bool check(std::uint64_t block) = 0;

  // Asks to be the one who fills blocks [begin, end): returns how many of them, from the first on,
  // are the caller's now; 0 when somebody else is at the first one. A process that dies gives back
  // what it claimed.
  [[nodiscard]] virtual std::uint64_t claim(std::uint64_t begin, std::uint64_t end) = 0;
  virtual void release(std::uint64_t begin, std::uint64_t end) = 0;

  // Room for so many bytes more. False: none to be had.
  [[nodiscard]] virtual bool admit(std::uint64_t bytes) = 0;
  // Takes whole blocks from `first` on; `bytes` ends at a block's end or at the blob's. They are
  // there when this returns.
  virtual Result<void> put(std::uint64_t first, std::span<const std::byte> bytes) = 0;
  // Reads bytes of blocks that are there. False when they are not any more.
  [[nodiscard]] virtual Result<bool> read(std::uint64_t offset, std::span<std::byte> into) = 0;

  // How many blocks may be under way or waiting to be read at once; 0: as many as one likes.
  [[nodiscard]] virtual std::uint64_t capacity() const { return 0; }
  // Where byte 0 lies in a file; null when it does not.
  [[nodiscard]] virtual io::FileRange backing_file() const { return {}; }

  // Whether the whole has been held against its digest, and saying that it has.
  [[nodiscard]] virtual bool sealed() const { return false; }
  virtual Result<void> seal() { return {}; }
  // The blob is not what it should be: nothing of it may be used again.
  virtual void discard() {}
};

}  // namespace shunt::cache
