// Memory in blocks of one size, handed out and taken back.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace shunt::sink {

// Hands out the block that was returned last, so that recently used memory stays in the processor's
// cache. Memory is allocated in slabs of 2 MiB, the size of a huge page, and freed with the pool.
// One thread at a time. Throws std::bad_alloc.
class BlockPool {
 public:
  // `block` is in bytes and divides 2 MiB.
  explicit BlockPool(std::size_t block) : block_(block) {}

  [[nodiscard]] std::byte* take();  // contents unspecified
  void give_back(std::byte* block) { free_.push_back(block); }

 private:
  struct Unmap {
    void operator()(std::byte* slab) const;
  };

  const std::size_t block_;
  std::vector<std::unique_ptr<std::byte, Unmap>> slabs_;
  std::vector<std::byte*> free_;
};

}  // namespace shunt::sink
