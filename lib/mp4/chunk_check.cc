#include "mp4/chunk_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/big_endian.h"
#include "base/checked.h"

namespace shunt::mp4 {
namespace {

// Goes through fixed-size entries once, in order, a buffer at a time.
class EntryCursor {
 public:
  EntryCursor(const io::Source& source, std::uint64_t at, std::uint32_t count, std::uint32_t stride)
      : source_(source), at_(at), left_(count), stride_(stride) {}

  [[nodiscard]] bool at_end() const { return next_ == held_ && left_ == 0; }
  // The next entry, valid until the next call; not at the end.
  Result<const std::byte*> next() {
    if (next_ == held_) {
      const std::size_t batch = std::min<std::size_t>(left_, kBuffer / stride_);
      held_ = batch * stride_;
      next_ = 0;
      buffer_.resize(held_);
      SHUNT_TRY(io::read_exactly(source_, at_, buffer_));
      at_ += held_;
      left_ -= static_cast<std::uint32_t>(batch);
    }
    const std::byte* const entry = buffer_.data() + next_;
    next_ += stride_;
    return entry;
  }

 private:
  static constexpr std::size_t kBuffer = 64 * 1024;

  const io::Source& source_;
  std::uint64_t at_;
  std::uint32_t left_;  // entries not in the buffer yet
  std::uint32_t stride_;
  std::vector<std::byte> buffer_;
  std::size_t held_ = 0;
  std::size_t next_ = 0;
};

// Walks stsc beside the chunks: how many samples the next chunk has.
class SamplesPerChunk {
 public:
  explicit SamplesPerChunk(EntryCursor entries) : entries_(std::move(entries)) {}

  Result<std::uint32_t> of(std::uint32_t chunk) {  // counted from 1, ascending
    while (chunk >= next_first_) {
      samples_ = next_samples_;
      if (entries_.at_end()) {
        next_first_ = UINT32_MAX;
        break;
      }
      SHUNT_ASSIGN(const std::byte* const entry, entries_.next());
      next_first_ = load_be<std::uint32_t>(entry);
      next_samples_ = load_be<std::uint32_t>(entry + 4);
    }
    return samples_;
  }

 private:
  EntryCursor entries_;
  std::uint32_t samples_ = 0;
  std::uint32_t next_first_ = 0;
  std::uint32_t next_samples_ = 0;
};

struct Counts {
  std::uint32_t runs = 0;
  std::uint32_t samples = 0;
  bool listed = false;  // stsz has an entry for each sample
};

Result<Counts> read_counts(const io::Source& source, const Box& stsc, const Box& stsz) {
  std::array<std::byte, 8> head{};
  Counts counts;
  if (stsc.payload().size() < 8 || stsz.payload().size() < 12) return counts;
  SHUNT_TRY(io::read_exactly(source, stsc.payload().begin, head));
  counts.runs = load_be<std::uint32_t>(head.data() + 4);
  SHUNT_TRY(io::read_exactly(source, stsz.payload().begin + 4, head));
  counts.listed = load_be<std::uint32_t>(head.data()) == 0;
  counts.samples = load_be<std::uint32_t>(head.data() + 4);
  // Tables that do not hold what they claim are the player's business as long as moov moves whole.
  const bool whole = (stsc.payload().size() - 8) / 12 >= counts.runs &&
                     (stsz.payload().size() - 12) / 4 >= counts.samples;
  counts.listed = counts.listed && whole;
  return counts;
}

}  // namespace

Result<void> check_chunks(const io::Source& source, const Zones& zones, const OffsetTable& table,
                          const Box& stsc, const Box& stsz) {
  SHUNT_ASSIGN(const Counts counts, read_counts(source, stsc, stsz));
  if (!counts.listed) return {};
  EntryCursor offsets(source, table.entries_at, table.count, table.stride());
  EntryCursor sizes(source, stsz.payload().begin + 12, counts.samples, 4);
  SamplesPerChunk samples_per_chunk(EntryCursor(source, stsc.payload().begin + 8, counts.runs, 12));
  for (std::uint32_t chunk = 0; chunk < table.count && !sizes.at_end(); ++chunk) {
    SHUNT_ASSIGN(const std::byte* const entry, offsets.next());
    const std::uint64_t offset =
        table.field_width() == 4 ? load_be<std::uint32_t>(entry) : load_be<std::uint64_t>(entry);
    SHUNT_ASSIGN(const std::uint32_t samples, samples_per_chunk.of(chunk + 1));
    std::uint64_t size = 0;
    for (std::uint32_t i = 0; i < samples && !sizes.at_end(); ++i) {
      SHUNT_ASSIGN(const std::byte* const field, sizes.next());
      size += load_be<std::uint32_t>(field);
    }
    if (size == 0) continue;
    if (table.filter != nullptr && !table.filter->stretch_at(chunk).here) continue;
    const std::uint64_t last = checked_add(offset, size - 1).value_or(UINT64_MAX);
    if (last < zones.moov.begin || offset >= zones.moov.end) continue;
    return bad_box(table.box,
                   fmt::format("chunk {} ({} bytes at byte {}) runs into moov; the media seems to "
                               "be cut short",
                               chunk + 1, size, offset));
  }
  return {};
}

}  // namespace shunt::mp4
