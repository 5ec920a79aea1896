// One bit per block of a blob, for concurrent use.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "shunt/base/checked.h"
#include "shunt/cache/block_store.h"

namespace shunt::cache {

// Thread-safe and lock-free. All bits start clear. A thread that sees a bit set also sees what was
// written before it was set.
class BlockBits {
 public:
  explicit BlockBits(std::uint64_t blocks) : words_(static_cast<std::size_t>(blocks / kWord + 1)) {}

  [[nodiscard]] bool get(std::uint64_t block) const {
    return (word(block).load(std::memory_order_acquire) >> (block % kWord) & 1) != 0;
  }
  void set(std::uint64_t block) {
    words_[index(block)].fetch_or(std::uint64_t{1} << (block % kWord), std::memory_order_release);
  }
  void clear(std::uint64_t block) {
    words_[index(block)].fetch_and(~(std::uint64_t{1} << (block % kWord)),
                                   std::memory_order_release);
  }

  // Returns the first run of set bits in `within`; empty, at within.end, if there is none.
  [[nodiscard]] BlockRun next_set(BlockRun within) const {
    const std::uint64_t begin = first({within.begin, within.end}, true);
    return {begin, first({begin, within.end}, false)};
  }

 private:
  static constexpr std::uint64_t kWord = 64;

  static std::size_t index(std::uint64_t block) { return static_cast<std::size_t>(block / kWord); }
  [[nodiscard]] const std::atomic<std::uint64_t>& word(std::uint64_t block) const {
    return words_[index(block)];
  }
  [[nodiscard]] std::uint64_t first(BlockRun within, bool wanted) const {
    for (std::uint64_t from = within.begin; from < within.end;) {
      std::uint64_t bits = word(from).load(std::memory_order_acquire);
      if (!wanted) bits = ~bits;
      bits &= ~std::uint64_t{0} << (from % kWord);
      const std::uint64_t base = round_down(from, kWord);
      if (bits != 0) {
        return std::min(within.end, base + static_cast<std::uint64_t>(std::countr_zero(bits)));
      }
      from = base + kWord;
    }
    return within.end;
  }

  std::vector<std::atomic<std::uint64_t>> words_;
};

}  // namespace shunt::cache
