#include "shunt/in_place/saved_bytes.h"

#include <algorithm>
#include <cstring>

namespace shunt::in_place {
namespace {

// Unit in which zeros are left out; shorter stretches do not justify a run of their own.
constexpr std::size_t kUnit = 512;

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

void SavedBytes::add(std::uint64_t at, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  if (!runs_.empty() && runs_.back().end() == at) {
    runs_.back().size += bytes.size();  // content_ only grows at its end
  } else {
    runs_.push_back({at, content_.size(), bytes.size()});
  }
  content_.insert(content_.end(), bytes.begin(), bytes.end());
}

Result<SavedBytes> SavedBytes::of(const io::Source& source, ByteRange range, std::uint64_t limit) {
  SavedBytes saved;
  saved.set_zeros(range);
  std::vector<std::byte> buffer(std::min<std::uint64_t>(range.size(), 256 * 1024));
  for (std::uint64_t at = range.begin; at < range.end;) {
    const auto batch = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.end - at)));
    SHUNT_TRY(io::read_exactly(source, at, batch));
    for (std::size_t i = 0; i < batch.size(); i += kUnit) {
      const auto unit = batch.subspan(i, std::min(kUnit, batch.size() - i));
      if (all_zero(unit)) continue;
      if (saved.size() + unit.size() > limit) {
        Error error;
        error.code = ErrorCode::kUnsuitable;
        error.path = source.name();
        error.reason = "the bytes to be overwritten hold more data than the journal may save";
        return error;
      }
      saved.add(at + i, unit);
    }
    at += batch.size();
  }
  return saved;
}

void SavedBytes::overlay(std::uint64_t offset, std::span<std::byte> into) const {
  const ByteRange wanted = ByteRange::of(offset, into.size());
  const auto part = [&](ByteRange range) {
    return into.subspan(static_cast<std::size_t>(range.begin - offset),
                        static_cast<std::size_t>(range.size()));
  };
  if (const ByteRange common = wanted.intersect(zeros_); !common.empty()) {
    std::ranges::fill(part(common), std::byte{0});
  }
  auto run = std::ranges::upper_bound(runs_, wanted.begin, {}, &Run::end);
  for (; run != runs_.end() && run->at < wanted.end; ++run) {
    const ByteRange common = wanted.intersect({run->at, run->end()});
    if (common.empty()) continue;
    std::memcpy(part(common).data(), content_.data() + run->content + (common.begin - run->at),
                static_cast<std::size_t>(common.size()));
  }
}

}  // namespace shunt::in_place
