#include "shunt/layout/layout.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace shunt::layout {

void Layout::push(Extent extent) {
  extent.at = size_;
  size_ += extent.size;
  extents_.push_back(std::move(extent));
}

void Layout::append(io::SourcePtr source, ByteRange range) {
  if (range.empty()) return;
  if (!extents_.empty()) {
    Extent& last = extents_.back();
    if (last.kind == Extent::Kind::kSource && last.source == source &&
        last.begin + last.size == range.begin) {
      last.size += range.size();
      size_ += range.size();
      return;
    }
  }
  push({Extent::Kind::kSource, std::move(source), range.begin, 0, range.size()});
}

void Layout::append_bytes(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const std::uint64_t begin = memory_.size();
  memory_.insert(memory_.end(), bytes.begin(), bytes.end());
  if (!extents_.empty() && extents_.back().kind == Extent::Kind::kMemory) {
    // The memory only grows at its end, so this extent can be extended.
    extents_.back().size += bytes.size();
    size_ += bytes.size();
    return;
  }
  push({Extent::Kind::kMemory, nullptr, begin, 0, bytes.size()});
}

void Layout::append_zeros(std::uint64_t size) {
  if (size == 0) return;
  push({Extent::Kind::kZeros, nullptr, 0, 0, size});
}

void Layout::append_layout(const Layout& other) {
  for (const Extent& extent : other.extents_) {
    switch (extent.kind) {
      case Extent::Kind::kSource:
        append(extent.source, ByteRange::of(extent.begin, extent.size));
        break;
      case Extent::Kind::kMemory:
        append_bytes(other.memory(extent));
        break;
      case Extent::Kind::kZeros:
        append_zeros(extent.size);
        break;
    }
  }
}

std::span<const std::byte> Layout::memory(const Extent& extent) const {
  return std::span(memory_).subspan(static_cast<std::size_t>(extent.begin),
                                    static_cast<std::size_t>(extent.size));
}

Result<std::string> Layout::identity() const {
  // A Source may lie in many extents, and is asked once.
  std::set<const io::Source*> sources;
  for (const Extent& extent : extents_) {
    if (extent.kind == Extent::Kind::kSource) sources.insert(extent.source.get());
  }
  std::set<std::string> identities;
  for (const io::Source* const source : sources) {
    SHUNT_ASSIGN(std::string identity, source->identity());
    if (!identity.empty()) identities.insert(std::move(identity));
  }
  std::string all;
  for (const std::string& identity : identities) all += (all.empty() ? "layout " : ", ") + identity;
  return all;
}

Result<std::size_t> Layout::read_at(std::uint64_t offset, std::span<std::byte> into,
                                    io::Caching caching) const {
  auto extent = std::upper_bound(
      extents_.begin(), extents_.end(), offset,
      [](std::uint64_t value, const Extent& candidate) { return value < candidate.at; });
  if (extent != extents_.begin()) --extent;
  std::size_t done = 0;
  for (; done < into.size() && extent != extents_.end(); ++extent) {
    const std::uint64_t within = offset + done - extent->at;
    if (within >= extent->size) break;  // past the end
    const auto part = into.subspan(done, static_cast<std::size_t>(std::min<std::uint64_t>(
                                             into.size() - done, extent->size - within)));
    switch (extent->kind) {
      case Extent::Kind::kSource: {
        SHUNT_ASSIGN(const std::size_t got,
                     extent->source->read_at(extent->begin + within, part, caching));
        if (got < part.size()) {
          Error error = corrupt("the input ends too early", extent->begin + within + got);
          error.path = extent->source->name();
          return error;
        }
        break;
      }
      case Extent::Kind::kMemory:
        std::memcpy(part.data(), memory_.data() + extent->begin + within, part.size());
        break;
      case Extent::Kind::kZeros:
        std::memset(part.data(), 0, part.size());
        break;
    }
    done += part.size();
  }
  return done;
}

}  // namespace shunt::layout
