// A few blocks in memory, for blobs that nothing is to be kept of, or that the disk cannot take.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <vector>

#include "cache/block_store.h"

namespace shunt::cache {

// Holds the blocks that were put or read last; for one process.
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
    std::vector<std::byte> bytes;
    std::list<std::uint64_t>::iterator age;
  };

  const std::uint64_t size_;
  const std::uint64_t block_size_;
  const std::uint64_t capacity_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Held> held_;
  std::list<std::uint64_t> by_age_;  // the oldest first
};

}  // namespace shunt::cache
