// A Source that counts which of its bytes have been read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/source/session.h"

namespace shunt::fetch {

// Counts each byte once, and none of the ranges in `counted`. Thread-safe.
class CountedSource final : public io::Source {
 public:
  CountedSource(const source::Opened& opened, std::vector<ByteRange> counted)
      : source_(opened.source), counted_(std::move(counted)) {
    if (opened.far_away() == nullptr) {
      lacking_.push_back({0, source_->size()});
    } else {
      // Recorded now, since reading fetches more than was read. The first bytes came with the
      // answer that told the size.
      lacking_ = opened.far_away()->missing({0, source_->size()});
      lacking_.push_back({0, opened.far_away()->bytes_fetched()});
    }
  }

  [[nodiscard]] std::uint64_t size() const override { return source_->size(); }
  [[nodiscard]] std::string name() const override { return source_->name(); }
  [[nodiscard]] Result<std::string> identity() const override { return source_->identity(); }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            io::Caching caching) const override;

  [[nodiscard]] std::uint64_t bytes_read() const;
  // Of these, those already cached; 0 for a local Source.
  [[nodiscard]] std::uint64_t bytes_from_cache() const;

 private:
  void count(ByteRange range) const;

  const io::SourcePtr source_;
  std::vector<ByteRange> lacking_;  // not in the cache at first
  mutable Mutex mutex_;
  mutable std::vector<ByteRange> counted_ SHUNT_GUARDED_BY(mutex_);
  mutable std::uint64_t read_ SHUNT_GUARDED_BY(mutex_) = 0;
  mutable std::uint64_t missing_ SHUNT_GUARDED_BY(mutex_) = 0;
};

}  // namespace shunt::fetch
