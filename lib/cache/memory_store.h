// A few blocks in memory, for blobs that nothing is to be kept of, or that the disk cannot take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>

#include "shunt/base/mutex.h"
#include "shunt/cache/block_store.h"

namespace shunt::cache {

// Holds the blocks that were put or read last; for one process. They lie in one piece of memory
// that is taken at once and touched as it is filled: blocks of their own, which come and go on
// several threads, leave gaps in the heap that add up to as much as a third of it.
class MemoryStore final : public BlockStore {
 public:
  static constexpr std::uint64_t kDefaultMemory = std::uint64_t{16} << 20;

  explicit MemoryStore(std::uint64_t size, std::uint64_t block_size = std::uint64_t{64} << 10,
                       std::uint64_t memory = kDefaultMemory);

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] std::uint64_t block_size() const override { return block_size_; }
  [[nodiscard]] bool has(std::uint64_t block) const override;
  [[nodiscard]] BlockRun next_known(BlockRun within) const override;
  [[nodiscard]] bool check(std::uint64_t block) override { return has(block); }
  [[nodiscard]] BlockRun next_missing(BlockRun within) const override;
  [[nodiscard]] Claim claim(BlockRun run) override { return {true, run.count()}; }
  void release(BlockRun /*run*/) override {}
  [[nodiscard]] Room admit(std::uint64_t /*bytes*/) override { return Room::kGranted; }
  Result<void> put(std::uint64_t first, std::span<const std::byte> bytes) override;
  [[nodiscard]] Result<bool> read(std::uint64_t offset, std::span<std::byte> into) override;
  [[nodiscard]] std::uint64_t capacity() const override { return capacity_; }

 private:
  struct Held {
    std::span<std::byte> bytes;
    std::list<std::uint64_t>::iterator age;
  };

  // Where a block that is not held can be put.
  [[nodiscard]] std::span<std::byte> take_place(std::uint64_t block, std::size_t size)
      SHUNT_REQUIRES(mutex_);

  const std::uint64_t size_;
  const std::uint64_t block_size_;
  const std::uint64_t capacity_;
  const std::uint64_t places_;  // blocks that there can be at once
  mutable Mutex mutex_;
  const std::unique_ptr<std::byte[]> memory_;
  std::map<std::uint64_t, Held> held_ SHUNT_GUARDED_BY(mutex_);
  std::list<std::uint64_t> by_age_ SHUNT_GUARDED_BY(mutex_);  // the oldest first
};

}  // namespace shunt::cache
