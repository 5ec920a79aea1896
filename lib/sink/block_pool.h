// Memory in pieces of one size, given out and taken back.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace shunt::sink {

// The piece that was taken back last is given out first, so that a few of them that go round stay
// in the processor's cache. Memory comes in slabs of 2 MiB, as large as the kernel's huge pages,
// and goes back with the pool. For one thread at a time. Throws std::bad_alloc.
class BlockPool {
 public:
  // `block` divides 2 MiB.
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
