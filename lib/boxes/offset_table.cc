#include "shunt/boxes/offset_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "shunt/base/big_endian.h"
#include "shunt/base/checked.h"

namespace shunt::boxes {
namespace {

// Entries are read in batches of this many bytes; a multiple of every stride except CTBO's, for
// which the count is rounded down.
constexpr std::size_t kBatchBytes = 256 * 1024;

// Novatek pads with empty pairs, Canon with empty records.
bool is_unused(OffsetTable::Kind kind, std::uint64_t offset) {
  return offset == 0 && (kind == OffsetTable::Kind::kGps || kind == OffsetTable::Kind::kCtbo);
}

// Calls `visit(first, last)` for each run of entries in [first, last) whose chunks lie in this
// file.
template <typename Visit>
Result<void> for_chunks_here(const ChunkFilter* filter, std::uint32_t first, std::uint32_t last,
                             const Visit& visit) {
  if (filter == nullptr) return visit(first, last);
  while (first < last) {
    const ChunkFilter::Stretch stretch = filter->stretch_at(first);
    const std::uint32_t end = std::min(last, stretch.end);
    if (stretch.here) SHUNT_TRY(visit(first, end));
    first = end;
  }
  return {};
}

// Maps the offsets at `fields`, `stride` bytes apart, in place. The hot loop for a large moov: a
// stretch of the map is looked up only when an offset leaves the previous one.
template <typename T>
bool map_fields(std::byte* field, std::size_t count, std::size_t stride, OffsetTable::Kind kind,
                const OffsetMap& map) {
  OffsetMap::Stretch stretch{{0, 0}, 0};
  for (std::size_t i = 0; i < count; ++i, field += stride) {
    const std::uint64_t old_offset = load_be<T>(field);
    if (!stretch.range.contains(old_offset)) stretch = map.stretch_at(old_offset);
    if (is_unused(kind, old_offset)) continue;
    const auto moved = checked_shift(old_offset, stretch.delta);
    if (!moved) continue;  // far outside the file, before and after
    if (*moved > std::numeric_limits<T>::max()) return false;
    store_be<T>(field, static_cast<T>(*moved));
  }
  return true;
}

}  // namespace

ChunkFilter::Stretch ChunkFilter::stretch_at(std::uint32_t chunk) const {
  auto next =
      std::upper_bound(runs_.begin(), runs_.end(), chunk,
                       [](std::uint32_t value, const Run& run) { return value < run.first_chunk; });
  const std::uint32_t end =
      next == runs_.end() ? std::numeric_limits<std::uint32_t>::max() : next->first_chunk;
  return {end, next == runs_.begin() || std::prev(next)->here};
}

bool ChunkFilter::none_here() const {
  return !runs_.empty() && runs_.front().first_chunk == 0 &&
         std::ranges::none_of(runs_, [](const Run& run) { return run.here; });
}

std::uint32_t OffsetTable::stride() const {
  switch (kind) {
    case Kind::kStco:
    case Kind::kSaio32:
      return 4;
    case Kind::kCo64:
    case Kind::kSaio64:
    case Kind::kGps:
      return 8;
    case Kind::kCtbo:
      return 20;
  }
  return 4;
}

std::uint32_t OffsetTable::field_at() const {
  return kind == Kind::kCtbo ? 4 : 0;
}

std::uint32_t OffsetTable::field_width() const {
  return kind == Kind::kStco || kind == Kind::kSaio32 || kind == Kind::kGps ? 4 : 8;
}

Result<void> find_extremes(const io::Source& source, const Zones& zones, OffsetTable& table) {
  const std::uint32_t stride = table.stride();
  const auto batch = static_cast<std::uint32_t>(kBatchBytes / stride);
  std::vector<std::byte> buffer(std::min<std::uint64_t>(kBatchBytes, table.entries_size()));
  // Offsets come in long ascending runs, so most only raise the maximum of a zone.
  std::array<std::uint64_t, Zones::kCount> largest{};
  std::array<std::uint64_t, Zones::kCount> smallest{};
  std::array<bool, Zones::kCount> any{};
  const auto look = [&](std::uint64_t offset) {
    if (is_unused(table.kind, offset)) return;
    const Zones::Zone zone = zones.of(offset);
    smallest[zone] = any[zone] ? std::min(smallest[zone], offset) : offset;
    largest[zone] = std::max(largest[zone], offset);
    any[zone] = true;
  };
  for (std::uint32_t first = 0; first < table.count;) {
    const std::uint32_t count = std::min(batch, table.count - first);
    const auto bytes = std::span(buffer).first(std::size_t{count} * stride);
    SHUNT_TRY(io::read_exactly(source, table.entries_at + std::uint64_t{first} * stride, bytes));
    SHUNT_TRY(for_chunks_here(table.filter.get(), first, first + count,
                              [&](std::uint32_t from, std::uint32_t to) -> Result<void> {
                                const std::byte* field = bytes.data() +
                                                         std::size_t{from - first} * stride +
                                                         table.field_at();
                                for (std::uint32_t i = from; i < to; ++i, field += stride) {
                                  look(table.field_width() == 4 ? load_be<std::uint32_t>(field)
                                                                : load_be<std::uint64_t>(field));
                                }
                                return {};
                              }));
    first += count;
  }
  for (std::size_t zone = 0; zone < Zones::kCount; ++zone) {
    if (!any[zone]) continue;
    table.largest[zone] = largest[zone];
    table.smallest[zone] = smallest[zone];
  }
  return {};
}

MappedTable::MappedTable(io::SourcePtr source, OffsetTable table,
                         std::shared_ptr<const OffsetMap> map)
    : source_(std::move(source)), table_(std::move(table)), map_(std::move(map)) {}

std::uint64_t MappedTable::size() const {
  return table_.entries_size() + table_.growth();
}

Result<std::string> MappedTable::identity() const {
  SHUNT_ASSIGN(const std::string original, source_->identity());
  return original.empty() ? original : "mapped " + original;
}

Result<std::size_t> MappedTable::read_at(std::uint64_t offset, std::span<std::byte> into,
                                         io::Caching caching) const {
  if (offset >= size()) return std::size_t{0};
  into =
      into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size() - offset)));
  const std::uint32_t stride = table_.widened ? 8 : table_.stride();
  std::size_t done = 0;
  std::array<std::byte, 20> entry{};
  while (done < into.size()) {
    const std::uint64_t at = offset + done;
    const auto index = static_cast<std::uint32_t>(at / stride);
    const std::size_t skip = at % stride;
    const std::size_t whole = (into.size() - done) / stride;
    if (skip == 0 && whole > 0) {
      SHUNT_TRY(read_entries(index, into.subspan(done, whole * stride), caching));
      done += whole * stride;
      continue;
    }
    // An entry that was requested in part.
    const auto one = std::span(entry).first(stride);
    SHUNT_TRY(read_entries(index, one, caching));
    const std::size_t size = std::min<std::size_t>(stride - skip, into.size() - done);
    std::memcpy(into.data() + done, one.data() + skip, size);
    done += size;
  }
  return done;
}

Result<void> MappedTable::read_entries(std::uint32_t first, std::span<std::byte> into,
                                       io::Caching caching) const {
  const std::uint64_t from = table_.entries_at + std::uint64_t{first} * table_.stride();
  const auto read = [&](std::span<std::byte> raw, std::uint64_t at) -> Result<void> {
    SHUNT_ASSIGN(const std::size_t got, source_->read_at(at, raw, caching));
    if (got == raw.size()) return {};
    Error error = corrupt("the input ends too early", at + got);
    error.path = source_->name();
    return error;
  };
  if (!table_.widened) {
    SHUNT_TRY(read(into, from));
    return map_entries(first, into, table_.stride());
  }
  // The 32-bit entries are read into the second half of the buffer for the 64-bit ones, and widened
  // from the front: entry i is written at 8i, which never passes its source at half + 4i.
  const std::size_t half = into.size() / 2;
  SHUNT_TRY(read(into.subspan(half), from));
  for (std::size_t i = 0; i < into.size() / 8; ++i) {
    const auto value = load_be<std::uint32_t>(into.data() + half + 4 * i);
    store_be<std::uint64_t>(into.data() + 8 * i, value);
  }
  return map_entries(first, into, 8);
}

Result<void> MappedTable::map_entries(std::uint32_t first, std::span<std::byte> entries,
                                      std::uint32_t stride) const {
  const auto count = static_cast<std::uint32_t>(entries.size() / stride);
  const bool wide = table_.widened || table_.field_width() == 8;
  return for_chunks_here(
      table_.filter.get(), first, first + count,
      [&](std::uint32_t from, std::uint32_t to) -> Result<void> {
        std::byte* const field =
            entries.data() + std::size_t{from - first} * stride + table_.field_at();
        const bool fits =
            wide ? map_fields<std::uint64_t>(field, to - from, stride, table_.kind, *map_)
                 : map_fields<std::uint32_t>(field, to - from, stride, table_.kind, *map_);
        if (fits) return {};
        Error error = bad_box(table_.box, "an offset no longer fits its 32 bits");
        error.code = ErrorCode::kIntegrity;
        error.hint = "the file seems to have changed; run again";
        return error;
      });
}

}  // namespace shunt::boxes
