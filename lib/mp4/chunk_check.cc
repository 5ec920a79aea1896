#include "shunt/mp4/chunk_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "shunt/base/big_endian.h"
#include "shunt/base/checked.h"
#include "shunt/boxes/entry_cursor.h"

namespace shunt::mp4 {
namespace {

// Walks through stsc along with the chunks: number of samples in the next chunk, and their
// description.
class SamplesPerChunk {
 public:
  static Result<SamplesPerChunk> open(const io::Source& source, const boxes::Box& stsc) {
    if (stsc.payload().size() < 8) return SamplesPerChunk(boxes::EntryCursor(source, 0, 0, 12));
    std::array<std::byte, 4> field{};
    SHUNT_TRY(io::read_exactly(source, stsc.payload().begin + 4, field));
    const std::uint64_t there = (stsc.payload().size() - 8) / 12;
    const auto runs = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(load_be<std::uint32_t>(field.data()), there));
    return SamplesPerChunk(boxes::EntryCursor(source, stsc.payload().begin + 8, runs, 12));
  }

  Result<void> go_to(std::uint32_t chunk) {  // counted from 1, ascending
    while (chunk >= next_first_) {
      samples_ = next_samples_;
      description_ = next_description_;
      if (entries_.at_end()) {
        next_first_ = UINT32_MAX;
        break;
      }
      SHUNT_ASSIGN(const std::byte* const entry, entries_.next());
      next_first_ = load_be<std::uint32_t>(entry);
      next_samples_ = load_be<std::uint32_t>(entry + 4);
      next_description_ = load_be<std::uint32_t>(entry + 8);
    }
    return {};
  }
  // The first chunk after those with as many samples as the current one.
  [[nodiscard]] std::uint32_t end() const { return next_first_; }
  [[nodiscard]] std::uint32_t samples() const { return samples_; }
  [[nodiscard]] std::uint32_t description() const { return description_; }

 private:
  explicit SamplesPerChunk(boxes::EntryCursor entries) : entries_(std::move(entries)) {}

  boxes::EntryCursor entries_;
  std::uint32_t samples_ = 0;
  std::uint32_t description_ = 0;
  std::uint32_t next_first_ = 0;
  std::uint32_t next_samples_ = 0;
  std::uint32_t next_description_ = 0;
};

std::uint64_t offset_at(const boxes::OffsetTable& table, const std::byte* entry) {
  return table.field_width() == 4 ? load_be<std::uint32_t>(entry) : load_be<std::uint64_t>(entry);
}

// Reads sizes of auxiliary information in order: one for all samples, or a byte for each.
class AuxiliarySizes {
 public:
  static Result<AuxiliarySizes> open(const io::Source& source, const boxes::Box& saiz) {
    std::array<std::byte, 4> word{};
    SHUNT_TRY(io::read_exactly(source, saiz.payload().begin, word));
    // With flag 1, aux_info_type and its parameter come first.
    const std::uint64_t head = (std::to_integer<unsigned>(word[3]) & 1) != 0 ? 12 : 4;
    if (saiz.payload().size() < head + 5)
      return AuxiliarySizes(boxes::EntryCursor(source, 0, 0, 1));
    std::array<std::byte, 5> fields{};
    SHUNT_TRY(io::read_exactly(source, saiz.payload().begin + head, fields));
    const auto constant = std::to_integer<std::uint8_t>(fields[0]);
    const auto count = load_be<std::uint32_t>(fields.data() + 1);
    const auto listed = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(count, saiz.payload().size() - head - 5));
    AuxiliarySizes sizes(
        boxes::EntryCursor(source, saiz.payload().begin + head + 5, constant > 0 ? 0 : listed, 1));
    sizes.constant_ = constant;
    sizes.left_ = constant > 0 ? count : listed;
    return sizes;
  }

  Result<std::uint64_t> take(std::uint32_t count) {
    count = std::min(count, left_);
    left_ -= count;
    if (constant_ > 0) return std::uint64_t{count} * constant_;
    std::uint64_t size = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      SHUNT_ASSIGN(const std::byte* const entry, entries_.next());
      size += std::to_integer<std::uint64_t>(*entry);
    }
    return size;
  }

 private:
  explicit AuxiliarySizes(boxes::EntryCursor entries) : entries_(std::move(entries)) {}

  boxes::EntryCursor entries_;
  std::uint8_t constant_ = 0;
  std::uint32_t left_ = 0;
};

}  // namespace

Result<void> check_chunks(const io::Source& source, const boxes::Zones& zones,
                          const boxes::OffsetTable& table, const boxes::Box& stsc,
                          const boxes::SampleSizeBoxes& size_boxes) {
  SHUNT_ASSIGN(boxes::SampleSizes sizes, boxes::SampleSizes::open(source, size_boxes));
  SHUNT_ASSIGN(SamplesPerChunk runs, SamplesPerChunk::open(source, stsc));
  boxes::EntryCursor offsets(source, table.entries_at, table.count, table.stride());
  // A track has millions of chunks, most of which are like the previous one: equal number and size
  // of samples, same zone.
  std::optional<std::uint64_t> constant;
  ByteRange whole;
  for (std::uint32_t chunk = 0; chunk < table.count && !sizes.at_end(); ++chunk) {
    const std::byte* entry = offsets.next_held();
    if (entry == nullptr) {
      SHUNT_ASSIGN(entry, offsets.next());
    }
    const std::uint64_t offset = offset_at(table, entry);
    if (chunk + 1 >= runs.end()) {
      SHUNT_TRY(runs.go_to(chunk + 1));
      constant = sizes.constant_size(runs.samples(), runs.description());
    }
    std::uint64_t size = constant.value_or(0);
    if (!constant || !sizes.skip(runs.samples())) {
      SHUNT_ASSIGN(size, sizes.take(runs.samples(), runs.description()));
    }
    if (size == 0) continue;
    if (!whole.contains(offset)) whole = zones.whole_around(offset);
    if (size <= whole.end - offset && zones.of(offset) != boxes::Zones::kMoov) continue;
    if (table.filter != nullptr && !table.filter->stretch_at(chunk).here) continue;
    if (!zones.tears(offset, size) && zones.of(offset) != boxes::Zones::kMoov) continue;
    return boxes::bad_box(table.box, fmt::format("chunk {} ({} bytes at byte {}) {}", chunk + 1,
                                                 size, offset, zones.why_torn(offset, size)));
  }
  return {};
}

Result<void> check_auxiliary(const io::Source& source, const boxes::Zones& zones,
                             const boxes::OffsetTable& saio, const boxes::Box& saiz,
                             const std::optional<boxes::Box>& stsc) {
  if (saiz.payload().size() < 4 || (saio.count > 1 && !stsc)) return {};
  SHUNT_ASSIGN(AuxiliarySizes sizes, AuxiliarySizes::open(source, saiz));
  boxes::EntryCursor offsets(source, saio.entries_at, saio.count, saio.stride());
  std::optional<SamplesPerChunk> runs;
  if (saio.count > 1) {
    SHUNT_ASSIGN(runs, SamplesPerChunk::open(source, *stsc));
  }
  for (std::uint32_t i = 0; i < saio.count; ++i) {
    SHUNT_ASSIGN(const std::byte* const entry, offsets.next());
    if (runs) SHUNT_TRY(runs->go_to(i + 1));
    SHUNT_ASSIGN(const std::uint64_t size, sizes.take(runs ? runs->samples() : UINT32_MAX));
    const std::uint64_t offset = offset_at(saio, entry);
    if (!zones.tears(offset, size)) continue;
    return boxes::bad_box(saio.box, fmt::format("auxiliary information ({} bytes at byte {}) {}",
                                                size, offset, zones.why_torn(offset, size)));
  }
  return {};
}

}  // namespace shunt::mp4
