#include "shunt/http_blob/prefix_check.h"

#include <algorithm>
#include <new>

#include "shunt/base/checked.h"

namespace shunt::http_blob {

bool SeenChunks::agrees(std::uint64_t index, std::uint64_t hash) {
  const Lock lock(mutex_);
  if (index < hashes_.size()) return hashes_[static_cast<std::size_t>(index)] == hash;
  // All chunks before this one are there.
  hashes_.push_back(hash);
  return true;
}

PrefixCheck::PrefixCheck(SeenChunks& seen, std::uint64_t size)
    : seen_(seen), size_(size), state_(XXH3_createState()) {
  if (!state_) throw std::bad_alloc();
  begin();
}

void PrefixCheck::begin() {
  if (at_ > known_) {
    known_ = at_;
    known_hash_ = hash();
  }
  at_ = 0;
  XXH3_64bits_reset(state_.get());
}

bool PrefixCheck::take(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::uint64_t chunk_end =
        std::min(round_down(at_, SeenChunks::kSize) + SeenChunks::kSize, size_);
    const std::uint64_t stop = at_ < known_ ? std::min(known_, chunk_end) : chunk_end;
    const auto part =
        bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(stop - at_, bytes.size())));
    if (part.empty()) return false;  // more than the blob's size
    XXH3_64bits_update(state_.get(), part.data(), part.size());
    at_ += part.size();
    bytes = bytes.subspan(part.size());
    if (at_ == chunk_end) {
      if (!seen_.agrees((at_ - 1) / SeenChunks::kSize, hash())) return false;
      XXH3_64bits_reset(state_.get());
    } else if (at_ == known_ && hash() != known_hash_) {
      return false;
    }
  }
  return true;
}

}  // namespace shunt::http_blob
