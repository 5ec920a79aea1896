// A few blocks in memory, for blobs that are not to be cached or that do not fit on the disk.
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

// Holds the most recently used blocks, for one process. All blocks lie in one allocation, which is
// touched as it is filled: separate allocations, made and freed by several threads, fragment the
// heap by up to a third.
class MemoryStore final : public BlockStore {
 public:
  static constexpr std::uint64_t kDefaultMemory = std::uint64_t{14} << 20;

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

  // Returns the place for a block that is not held.
  [[nodiscard]] std::span<std::byte> take_place(std::uint64_t block, std::size_t size)
      SHUNT_REQUIRES(mutex_);

  const std::uint64_t size_;
  const std::uint64_t block_size_;
  const std::uint64_t capacity_;
  const std::uint64_t places_;  // number of blocks held at once
  mutable Mutex mutex_;
  const std::unique_ptr<std::byte[]> memory_;
  std::map<std::uint64_t, Held> held_ SHUNT_GUARDED_BY(mutex_);
  std::list<std::uint64_t> by_age_ SHUNT_GUARDED_BY(mutex_);  // least recently used first
};

}  // namespace shunt::cache
