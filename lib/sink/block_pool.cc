#include "shunt/sink/block_pool.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace shunt::sink {
namespace {

constexpr std::size_t kSlab = std::size_t{2} << 20;

}  // namespace

void BlockPool::Unmap::operator()(std::byte* slab) const {
  std::free(slab);
}

std::byte* BlockPool::take() {
  if (free_.empty()) {
    slabs_.emplace_back(static_cast<std::byte*>(std::aligned_alloc(kSlab, kSlab)));
    if (slabs_.back() == nullptr) throw std::bad_alloc();
    (void)::madvise(slabs_.back().get(), kSlab, MADV_HUGEPAGE);
    for (std::size_t at = kSlab; at > 0; at -= block_) {
      free_.push_back(slabs_.back().get() + at - block_);
    }
  }
  std::byte* const block = free_.back();
  free_.pop_back();
  return block;
}

}  // namespace shunt::sink
