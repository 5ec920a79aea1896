// Reads entries of fixed size once, in order, through a buffer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/source.h"

namespace shunt::boxes {

// One thread; the Source is not owned and outlives it. Holds at most 64 KiB.
class EntryCursor {
 public:
  // `count` entries of `stride` bytes each, from offset `at` on.
  EntryCursor(const io::Source& source, std::uint64_t at, std::uint32_t count, std::uint32_t stride)
      : source_(&source), at_(at), left_(count), stride_(stride) {}

  [[nodiscard]] bool at_end() const { return next_ == held_ && left_ == 0; }
  // Returns the next entry if it is buffered, else null; valid until the next call. Faster than
  // next() in loops over millions.
  const std::byte* next_held() {
    if (next_ == held_) return nullptr;
    const std::byte* const entry = buffer_.data() + next_;
    next_ += stride_;
    return entry;
  }
  // Returns the next entry, valid until the next call. Must not be called at the end.
  Result<const std::byte*> next() {
    if (next_ == held_) {
      const std::size_t batch = std::min<std::size_t>(left_, kBuffer / stride_);
      held_ = batch * stride_;
      next_ = 0;
      buffer_.resize(held_);
      SHUNT_TRY(io::read_exactly(*source_, at_, buffer_));
      at_ += held_;
      left_ -= static_cast<std::uint32_t>(batch);
    }
    const std::byte* const entry = buffer_.data() + next_;
    next_ += stride_;
    return entry;
  }

 private:
  static constexpr std::size_t kBuffer = 64 * 1024;

  const io::Source* source_;
  std::uint64_t at_;
  std::uint32_t left_;  // entries not buffered yet
  std::uint32_t stride_;
  std::vector<std::byte> buffer_;
  std::size_t held_ = 0;
  std::size_t next_ = 0;
};

}  // namespace shunt::boxes
