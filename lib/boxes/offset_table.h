// Tables of absolute file offsets, and the same tables mapped through an OffsetMap.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/offset_map.h"
#include "shunt/boxes/zones.h"
#include "shunt/io/source.h"

namespace shunt::boxes {

// Which chunks of a track lie in this file. stsc gives a chunk's sample description, that its data
// reference, and that the file (ISO/IEC 14496-12, 8.7.2, 8.7.4).
class ChunkFilter {
 public:
  struct Run {
    std::uint32_t first_chunk = 0;  // counted from 0
    bool here = true;
  };
  // `runs` is in ascending order; chunks before the first run lie in this file.
  explicit ChunkFilter(std::vector<Run> runs) : runs_(std::move(runs)) {}

  struct Stretch {
    std::uint32_t end = 0;  // the first chunk after it
    bool here = true;
  };
  [[nodiscard]] Stretch stretch_at(std::uint32_t chunk) const;
  // Returns true if no chunk lies in this file.
  [[nodiscard]] bool none_here() const;

 private:
  std::vector<Run> runs_;
};

struct OffsetTable {
  enum class Kind : std::uint8_t {
    kStco,    // 8.7.5, 32-bit; may become co64
    kCo64,    // 8.7.5
    kSaio32,  // 8.7.9 version 0; may become version 1
    kSaio64,  // 8.7.9 version 1
    kGps,     // Novatek: pairs of 32-bit offset and size
    kCtbo,    // Canon: index, 64-bit offset, 64-bit size
  };

  Kind kind = Kind::kStco;
  Box box;
  // Offset of the first entry, and number of entries.
  std::uint64_t entries_at = 0;
  std::uint32_t count = 0;
  std::int32_t container = -1;                // index of its container in the BoxModel
  std::shared_ptr<const ChunkFilter> filter;  // null: all chunks lie in this file
  // The largest and the smallest offset in each zone; sizing needs nothing else.
  std::array<std::optional<std::uint64_t>, Zones::kCount> largest;
  std::array<std::optional<std::uint64_t>, Zones::kCount> smallest;
  bool widened = false;  // 32-bit entries become 64-bit

  [[nodiscard]] bool is_of_chunks() const { return kind == Kind::kStco || kind == Kind::kCo64; }
  [[nodiscard]] bool can_widen() const { return kind == Kind::kStco || kind == Kind::kSaio32; }
  [[nodiscard]] std::uint32_t stride() const;    // bytes from one entry to the next
  [[nodiscard]] std::uint32_t field_at() const;  // of the offset within an entry
  [[nodiscard]] std::uint32_t field_width() const;
  [[nodiscard]] std::uint64_t entries_size() const { return std::uint64_t{count} * stride(); }
  [[nodiscard]] std::uint64_t growth() const { return widened ? std::uint64_t{count} * 4 : 0; }
};

// Sets table.largest and table.smallest by reading the table once.
Result<void> find_extremes(const io::Source& source, const Zones& zones, OffsetTable& table);

// The new entries of a table: mapped, and widened if table.widened. Computed when read, in any
// order. Shares ownership of the source and the map.
class MappedTable final : public io::Source {
 public:
  MappedTable(io::SourcePtr source, OffsetTable table, std::shared_ptr<const OffsetMap> map);

  [[nodiscard]] std::uint64_t size() const override;
  // Returns kIntegrity if an entry does not fit: the file was changed after planning.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            io::Caching caching) const override;
  [[nodiscard]] std::string name() const override { return source_->name(); }
  // It changes as the source does, and is not that of the source: the bytes are others.
  [[nodiscard]] Result<std::string> identity() const override;

 private:
  [[nodiscard]] Result<void> read_entries(std::uint32_t first, std::span<std::byte> into,
                                          io::Caching caching) const;
  [[nodiscard]] Result<void> map_entries(std::uint32_t first, std::span<std::byte> entries,
                                         std::uint32_t stride) const;

  io::SourcePtr source_;
  OffsetTable table_;
  std::shared_ptr<const OffsetMap> map_;
};

}  // namespace shunt::boxes
