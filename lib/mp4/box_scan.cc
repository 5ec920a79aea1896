// scan_box: the walk through a moov or meta that finds every table of offsets.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/big_endian.h"
#include "mp4/box_model.h"
#include "mp4/chunk_check.h"
#include "mp4/data_references.h"
#include "mp4/limits.h"

namespace shunt::mp4 {
namespace {

// ISO/IEC 14496-12 table 1: the boxes of boxes on the way to a table of offsets.
constexpr std::array kPlainContainers = {
    BoxType("moov"), BoxType("trak"), BoxType("mdia"), BoxType("minf"), BoxType("stbl"),
    BoxType("dinf"), BoxType("edts"), BoxType("udta"), BoxType("mvex"), BoxType("meco"),
};

// Canon's uuid in moov, which holds CTBO.
constexpr std::array<std::uint8_t, 16> kCanonUuid = {
    0x85, 0xc0, 0xb6, 0x87, 0x82, 0x0f, 0x11, 0xe0, 0x81, 0x11, 0xf4, 0xce, 0x46, 0x2b, 0x6a, 0x48};

class Scanner {
 public:
  Scanner(BoxModel& model, const Zones& zones)
      : model_(model), zones_(zones), reader_(*model.source) {}

  Result<void> run() { return visit(model_.box, Place{}); }

 private:
  // Where in the tree the walk is.
  struct Place {
    unsigned depth = 0;
    std::int32_t container = -1;
    bool lenient = false;  // in user data, where whatever is no box is left as it is
  };

  // The boxes of one trak, which together say what its tables refer to.
  struct Track {
    TrackReferences references;
    std::vector<Box> chunk_tables;
    std::optional<Box> stsz;
    std::int32_t container = -1;  // of the chunk tables
  };

  Result<void> visit(const Box& box, Place place);
  Result<void> visit_children(const Box& box, std::uint64_t first_child, Place place);
  Result<void> visit_meta(const Box& box, Place place);
  Result<void> finish_track(const Track& track);
  Result<void> add_table(OffsetTable::Kind kind, const Box& box, std::uint64_t count_at,
                         std::int32_t container, std::shared_ptr<const ChunkFilter> filter);
  Result<void> add_saio(const Box& box, std::int32_t container);
  Result<void> add_gps(const Box& box, std::int32_t container);
  Result<void> visit_uuid(const Box& box, Place place);
  Result<void> add_iloc(const Box& box, std::int32_t container);
  // The rest of adding a table once its entries are known to lie within its box.
  Result<void> keep(OffsetTable table);

  std::int32_t enter(const Box& box, std::int32_t parent) {
    model_.containers.push_back({box, parent});
    return static_cast<std::int32_t>(model_.containers.size()) - 1;
  }

  BoxModel& model_;
  const Zones& zones_;
  io::BufferedReader reader_;
  Track* track_ = nullptr;
  std::size_t boxes_ = 0;
  std::uint64_t iloc_bytes_ = 0;
};

Result<void> Scanner::visit(const Box& box, Place place) {
  if (++boxes_ > kMaxInnerBoxes) return bad_box(box, "too many boxes");
  const BoxType type = box.type;
  if (std::ranges::find(kPlainContainers, type) != kPlainContainers.end()) {
    if (place.depth == kMaxDepth) {
      return bad_box(box, fmt::format("boxes nest deeper than {}", kMaxDepth));
    }
    const Place inside{place.depth + 1, enter(box, place.container),
                       place.lenient || type == BoxType("udta")};
    if (type != BoxType("trak")) return visit_children(box, box.payload().begin, inside);
    Track track;
    Track* const outer = std::exchange(track_, &track);
    Result<void> result = visit_children(box, box.payload().begin, inside);
    track_ = outer;
    SHUNT_TRY(result);
    return finish_track(track);
  }
  if (type == BoxType("meta")) return visit_meta(box, place);
  if (type == BoxType("iloc")) return add_iloc(box, place.container);
  if (type == BoxType("cmov")) {
    model_.has_compressed_moov = true;
    return {};
  }
  if (type == BoxType("uuid")) return visit_uuid(box, place);
  if (type == BoxType("gps ")) return add_gps(box, place.container);
  if (track_ == nullptr) return {};
  if (type == BoxType("dref")) track_->references.dref = box;
  if (type == BoxType("stsd")) track_->references.stsd = box;
  if (type == BoxType("stsc")) track_->references.stsc = box;
  if (type == BoxType("stsz")) track_->stsz = box;
  if (type == BoxType("saio")) return add_saio(box, place.container);
  if (type == BoxType("stco") || type == BoxType("co64")) {
    if (track_->chunk_tables.size() == kMaxOffsetTables) return bad_box(box, "too many tables");
    track_->chunk_tables.push_back(box);
    track_->container = place.container;
  }
  return {};
}

Result<void> Scanner::visit_children(const Box& box, std::uint64_t first_child, Place place) {
  // QuickTime ends user data with a 32-bit zero; fewer than 8 bytes are no box anywhere.
  for (std::uint64_t at = first_child; box.range.end - at >= 8;) {
    const Result<Box> child = read_box(reader_, at, box.range);
    if (!child) {
      if (place.lenient && child.error().code == ErrorCode::kCorrupt) return {};
      return child.error();
    }
    if (place.lenient && child->size_is_zero) return {};
    SHUNT_TRY(visit(*child, place));
    at = child->range.end;
  }
  return {};
}

Result<void> Scanner::visit_meta(const Box& box, Place place) {
  if (place.depth == kMaxDepth) {
    return bad_box(box, fmt::format("boxes nest deeper than {}", kMaxDepth));
  }
  // A full box in ISO files, a plain one in QuickTime's: there the first child's type comes 4 bytes
  // earlier.
  std::uint64_t children = 4;
  if (box.payload().size() >= 8) {
    SHUNT_ASSIGN(const auto bytes, view_payload(reader_, box, 4, 4));
    if (BoxType(load_be<std::uint32_t>(bytes.data())) == BoxType("hdlr")) children = 0;
  }
  if (box.payload().size() < children) {
    if (place.lenient) return {};
    return bad_box(box, "it is too short for what it must hold");
  }
  return visit_children(box, box.payload().begin + children,
                        {place.depth + 1, enter(box, place.container), place.lenient});
}

Result<void> Scanner::finish_track(const Track& track) {
  if (track.chunk_tables.empty()) return {};
  SHUNT_ASSIGN(const std::shared_ptr<const ChunkFilter> filter,
               find_chunks_here(reader_, track.references));
  for (const Box& box : track.chunk_tables) {
    const auto kind =
        box.type == BoxType("stco") ? OffsetTable::Kind::kStco : OffsetTable::Kind::kCo64;
    SHUNT_TRY(add_table(kind, box, 4, track.container, filter));
    if (track.stsz && track.references.stsc) {
      SHUNT_TRY(check_chunks(*model_.source, zones_, model_.tables.back(), *track.references.stsc,
                             *track.stsz));
    }
  }
  return {};
}

Result<void> Scanner::add_table(OffsetTable::Kind kind, const Box& box, std::uint64_t count_at,
                                std::int32_t container, std::shared_ptr<const ChunkFilter> filter) {
  SHUNT_ASSIGN(const auto head, view_payload(reader_, box, count_at, 4));
  OffsetTable table;
  table.kind = kind;
  table.box = box;
  table.count = load_be<std::uint32_t>(head.data());
  table.entries_at = box.payload().begin + count_at + 4;
  table.container = container;
  table.filter = std::move(filter);
  return keep(std::move(table));
}

Result<void> Scanner::keep(OffsetTable table) {
  if (table.entries_size() > table.box.range.end - table.entries_at) {
    return bad_box(table.box, fmt::format("it claims {} entries, which do not fit its {} bytes",
                                          table.count, table.box.range.size()));
  }
  if (model_.tables.size() == kMaxOffsetTables) return bad_box(table.box, "too many tables");
  SHUNT_TRY(find_extremes(*model_.source, zones_, table));
  model_.tables.push_back(std::move(table));
  return {};
}

Result<void> Scanner::add_saio(const Box& box, std::int32_t container) {
  SHUNT_ASSIGN(const VersionAndFlags word, read_version_and_flags(reader_, box));
  // 8.7.9.2: with flag 1, aux_info_type and its parameter come before the count.
  const std::uint64_t count_at = (word.flags & 1) != 0 ? 12 : 4;
  const auto kind = word.version == 0 ? OffsetTable::Kind::kSaio32 : OffsetTable::Kind::kSaio64;
  return add_table(kind, box, count_at, container, nullptr);
}

Result<void> Scanner::add_gps(const Box& box, std::int32_t container) {
  // Two words, a version and a date, come before the pairs; there is no count.
  constexpr std::uint64_t kHead = 8;
  if (box.payload().size() < kHead) return {};
  OffsetTable table;
  table.kind = OffsetTable::Kind::kGps;
  table.box = box;
  table.entries_at = box.payload().begin + kHead;
  const std::uint64_t count = (box.payload().size() - kHead) / table.stride();
  if (count > UINT32_MAX) return bad_box(box, "too many entries");
  table.count = static_cast<std::uint32_t>(count);
  table.container = container;
  return keep(std::move(table));
}

Result<void> Scanner::visit_uuid(const Box& box, Place place) {
  if (box.payload().size() < kCanonUuid.size()) return {};
  SHUNT_ASSIGN(const auto id, view_payload(reader_, box, 0, kCanonUuid.size()));
  if (!std::ranges::equal(id, std::as_bytes(std::span(kCanonUuid)))) return {};
  const std::int32_t container = enter(box, place.container);
  for (std::uint64_t at = box.payload().begin + kCanonUuid.size(); box.range.end - at >= 8;) {
    SHUNT_ASSIGN(const Box child, read_box(reader_, at, box.range));
    if (child.type == BoxType("CTBO")) {
      SHUNT_TRY(add_table(OffsetTable::Kind::kCtbo, child, 0, container, nullptr));
    }
    at = child.range.end;
  }
  return {};
}

Result<void> Scanner::add_iloc(const Box& box, std::int32_t container) {
  SHUNT_ASSIGN(ItemLocations iloc,
               ItemLocations::read(reader_, box, container, kMaxIlocBytes - iloc_bytes_));
  iloc_bytes_ += box.payload().size();
  model_.ilocs.push_back(std::move(iloc));
  return {};
}

}  // namespace

Result<BoxModel> scan_box(io::SourcePtr source, const Box& box, const Zones& zones) {
  BoxModel model;
  model.source = std::move(source);
  model.box = box;
  SHUNT_TRY(Scanner(model, zones).run());
  // A track's tables are added when it ends, after the saio boxes within it.
  std::ranges::sort(model.tables, {}, [](const OffsetTable& t) { return t.box.range.begin; });
  return model;
}

}  // namespace shunt::mp4
