#include "shunt/cache/memory_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace shunt::cache {

MemoryStore::MemoryStore(std::uint64_t size, std::uint64_t block_size, std::uint64_t memory)
    : size_(size),
      block_size_(block_size),
      capacity_(std::max<std::uint64_t>(memory / block_size, 4)),
      places_(std::min(capacity_, size / block_size + 1)),
      memory_(std::make_unique_for_overwrite<std::byte[]>(
          static_cast<std::size_t>(places_ * block_size))) {}

// Returns the next free place, or that of the least recently used block. Either completes or, if
// memory is exhausted, changes nothing.
std::span<std::byte> MemoryStore::take_place(std::uint64_t block, std::size_t size) {
  if (held_.size() < places_) {
    std::list<std::uint64_t> youngest{block};
    const std::span place(memory_.get() + held_.size() * static_cast<std::size_t>(block_size_),
                          size);
    held_.emplace(block, Held{place, youngest.begin()});
    by_age_.splice(by_age_.end(), youngest);
    return place;
  }
  auto oldest = held_.extract(by_age_.front());
  by_age_.splice(by_age_.end(), by_age_, by_age_.begin());
  by_age_.back() = block;
  const std::span place(oldest.mapped().bytes.data(), size);
  oldest.key() = block;
  oldest.mapped().bytes = place;
  held_.insert(std::move(oldest));
  return place;
}

bool MemoryStore::has(std::uint64_t block) const {
  const Lock lock(mutex_);
  return held_.contains(block);
}

BlockRun MemoryStore::next_known(BlockRun within) const {
  const Lock lock(mutex_);
  auto at = held_.lower_bound(within.begin);
  if (at == held_.end() || at->first >= within.end) return {within.end, within.end};
  BlockRun run{at->first, at->first};
  for (; at != held_.end() && at->first == run.end && run.end < within.end; ++at) ++run.end;
  return run;
}

BlockRun MemoryStore::next_missing(BlockRun within) const {
  const Lock lock(mutex_);
  auto at = held_.lower_bound(within.begin);
  std::uint64_t begin = within.begin;
  for (; at != held_.end() && at->first == begin && begin < within.end; ++at) ++begin;
  const std::uint64_t next = at == held_.end() ? within.end : at->first;
  return {begin, std::max(begin, std::min(next, within.end))};
}

Result<void> MemoryStore::put(std::uint64_t first, std::span<const std::byte> bytes) {
  const Lock lock(mutex_);
  for (std::uint64_t block = first; !bytes.empty(); ++block) {
    const auto part =
        bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(block_size_, bytes.size())));
    bytes = bytes.subspan(part.size());
    if (held_.contains(block)) continue;
    std::ranges::copy(part, take_place(block, part.size()).begin());
  }
  return {};
}

Result<bool> MemoryStore::read(std::uint64_t offset, std::span<std::byte> into) {
  const Lock lock(mutex_);
  for (std::size_t done = 0; done < into.size();) {
    const std::uint64_t at = offset + done;
    const auto held = held_.find(at / block_size_);
    if (held == held_.end()) return false;
    const std::uint64_t skip = at % block_size_;
    const auto part = std::min<std::uint64_t>(into.size() - done, held->second.bytes.size() - skip);
    std::memcpy(into.data() + done, held->second.bytes.data() + skip,
                static_cast<std::size_t>(part));
    done += static_cast<std::size_t>(part);
    by_age_.splice(by_age_.end(), by_age_, held->second.age);
  }
  return true;
}

}  // namespace shunt::cache
