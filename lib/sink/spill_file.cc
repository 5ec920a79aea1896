#include "shunt/sink/spill_file.h"

#include <algorithm>

namespace shunt::sink {
namespace {

// A value of the index packs the begin and length of a stretch. No stretch is longer than a leaf of
// HeldBlocks, and no file reaches 2^60 bytes.
constexpr unsigned kCountBits = 16;
constexpr std::uint64_t kMostInStretch = (std::uint64_t{1} << kCountBits) - 1;

SpillFile::Stretch stretch_of(const SpillIndex::Entry& entry) {
  const std::uint64_t count = entry.value & kMostInStretch;
  return {entry.key + 1 - count, entry.key, entry.value >> kCountBits};
}

SpillIndex::Entry entry_of(const SpillFile::Stretch& stretch) {
  return {stretch.last, stretch.slot << kCountBits | (stretch.last + 1 - stretch.first)};
}

}  // namespace

Result<void> SpillFile::try_folder(const std::string& folder) {
  const Result<io::File> file = io::File::create_unnamed(folder);
  if (!file) return file.error().with_hint("--spill names another folder, or none");
  return {};
}

Result<std::optional<SpillFile::Stretch>> SpillFile::at_or_after(std::uint64_t page) const {
  if (pages_ == 0) return std::optional<Stretch>();
  if (asked_ && *asked_ <= page && (!answer_ || page <= answer_->last)) return answer_;
  SHUNT_ASSIGN(const std::optional<SpillIndex::Entry> entry, index_.at_or_after(page));
  asked_ = page;
  answer_ = entry ? std::optional(stretch_of(*entry)) : std::nullopt;
  return answer_;
}

Result<std::optional<SpillFile::Stretch>> SpillFile::holding(std::uint64_t page) const {
  SHUNT_ASSIGN(std::optional<Stretch> stretch, at_or_after(page));
  if (stretch && stretch->first > page) stretch.reset();
  return stretch;
}

Result<void> SpillFile::add(const Stretch& stretch) {
  asked_.reset();
  SHUNT_TRY(index_.insert(entry_of(stretch)));
  pages_ += stretch.last + 1 - stretch.first;
  return {};
}

void SpillFile::free_slots(Slots slots) {
  // A file system without holes keeps the space, which is reused.
  (void)file_.punch_hole(ByteRange::of(slots.first * kPage, slots.count * kPage));
  space_.give_back(slots);
}

Result<void> SpillFile::put(std::uint64_t first, std::span<std::byte* const> pages) {
  if (!file_.valid()) {
    SHUNT_ASSIGN(file_, io::File::create_unnamed(folder_));
  }
  while (!pages.empty()) {
    const Slots slots = space_.take(std::min<std::uint64_t>(pages.size(), kMostInStretch));
    for (std::size_t i = 0; i < slots.count; ++i) {
      const Result<void> written = file_.write_at((slots.first + i) * kPage, {pages[i], kPage});
      if (written) continue;
      space_.give_back(slots);
      return written.error();
    }
    SHUNT_TRY(add({first, first + slots.count - 1, slots.first}));
    first += slots.count;
    pages = pages.subspan(static_cast<std::size_t>(slots.count));
  }
  return {};
}

Result<void> SpillFile::overwrite(const Stretch& stretch, std::uint64_t page, std::size_t at,
                                  std::span<const std::byte> data) {
  return file_.write_at(stretch.place_of(page) + at, data);
}

Result<void> SpillFile::erase(std::uint64_t first, std::uint64_t end) {
  while (first < end) {
    SHUNT_ASSIGN(const std::optional<Stretch> stretch, at_or_after(first));
    if (!stretch || stretch->first >= end) return {};
    const std::uint64_t from = std::max(first, stretch->first);
    const std::uint64_t last = std::min(end - 1, stretch->last);
    asked_.reset();
    SHUNT_TRY(index_.erase(stretch->last));
    pages_ -= stretch->last + 1 - stretch->first;
    if (stretch->first < from) SHUNT_TRY(add({stretch->first, from - 1, stretch->slot}));
    if (last < stretch->last) {
      SHUNT_TRY(add({last + 1, stretch->last, stretch->slot + last + 1 - stretch->first}));
    }
    free_slots({stretch->slot + from - stretch->first, last + 1 - from});
    first = last + 1;
  }
  return {};
}

}  // namespace shunt::sink
