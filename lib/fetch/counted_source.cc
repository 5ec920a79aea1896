#include "shunt/fetch/counted_source.h"

#include <algorithm>

namespace shunt::fetch {

Result<std::size_t> CountedSource::read_at(std::uint64_t offset, std::span<std::byte> into,
                                           io::Caching caching) const {
  if (offset < size()) {
    count(ByteRange::of(offset, std::min<std::uint64_t>(into.size(), size() - offset)));
  }
  return source_->read_at(offset, into, caching);
}

void CountedSource::count(ByteRange range) const {
  const Lock lock(mutex_);
  std::vector<ByteRange> fresh{range};
  for (const ByteRange old : counted_) {
    std::vector<ByteRange> rest;
    for (const ByteRange part : fresh) {
      if (const ByteRange before{part.begin, std::min(part.end, old.begin)};
          before.begin < before.end) {
        rest.push_back(before);
      }
      if (const ByteRange behind{std::max(part.begin, old.end), part.end};
          behind.begin < behind.end) {
        rest.push_back(behind);
      }
    }
    fresh = std::move(rest);
  }
  for (const ByteRange part : fresh) {
    read_ += part.size();
    for (const ByteRange gap : lacking_) missing_ += part.intersect(gap).size();
  }
  // Reads usually continue where the previous one ended.
  if (!counted_.empty() && counted_.back().end == range.begin) {
    counted_.back().end = range.end;
  } else if (!fresh.empty()) {
    counted_.push_back(range);
  }
}

std::uint64_t CountedSource::bytes_read() const {
  const Lock lock(mutex_);
  return read_;
}

std::uint64_t CountedSource::bytes_from_cache() const {
  const Lock lock(mutex_);
  return read_ - std::min(read_, missing_);
}

}  // namespace shunt::fetch
