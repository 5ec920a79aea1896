// scan_box: the walk through a moov or meta that finds every table of offsets.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

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
    BoxType parent;
  };

  // The boxes of one trak, which together say what its tables refer to.
  struct Track {
    TrackReferences references;
    std::optional<Box> chunk_table;
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

  // The index of `box` among the containers.
  Result<std::int32_t> enter(const Box& box, const Place& place) {
    if (place.depth == kMaxDepth) {
      return beyond_limit(box, fmt::format("boxes nest deeper than {}", kMaxDepth));
    }
    if (model_.containers.size() == kMaxContainers) return beyond_limit(box, "too many boxes");
    model_.containers.push_back({box, place.container});
    return static_cast<std::int32_t>(model_.containers.size()) - 1;
  }

  // An error that holds in user data, too.
  Error beyond_limit(const Box& box, std::string_view why) {
    beyond_limit_ = true;
    return bad_box(box, why);
  }

  BoxModel& model_;
  const Zones& zones_;
  io::BufferedReader reader_;
  Track* track_ = nullptr;
  std::optional<Box>* dref_of_meta_ = nullptr;  // of the innermost meta
  std::size_t boxes_ = 0;
  bool beyond_limit_ = false;
  std::uint64_t iloc_bytes_ = 0;
};

Result<void> Scanner::visit(const Box& box, Place place) {
  if (++boxes_ > kMaxInnerBoxes) return beyond_limit(box, "too many boxes");
  const BoxType type = box.type;
  if (std::ranges::find(kPlainContainers, type) != kPlainContainers.end()) {
    SHUNT_ASSIGN(const std::int32_t index, enter(box, place));
    const Place inside{place.depth + 1, index, place.lenient || type == BoxType("udta"), type};
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
  // Vendors have put other things under these names elsewhere.
  const bool in_moov = place.parent == BoxType("moov");
  if (in_moov && type == BoxType("uuid")) return visit_uuid(box, place);
  if (in_moov && type == BoxType("gps ")) return add_gps(box, place.container);
  if (type == BoxType("dref") && dref_of_meta_ != nullptr) {
    *dref_of_meta_ = box;
    return {};
  }
  if (track_ == nullptr) return {};
  if (type == BoxType("dref")) track_->references.dref = box;
  if (type == BoxType("stsd")) track_->references.stsd = box;
  if (type == BoxType("stsc")) track_->references.stsc = box;
  if (type == BoxType("stsz")) track_->stsz = box;
  if (type == BoxType("saio")) return add_saio(box, place.container);
  if (type == BoxType("stco") || type == BoxType("co64")) {
    if (track_->chunk_table) return bad_box(box, "a second table of chunks in one track");
    track_->chunk_table = box;
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
    const Result<void> visited = visit(*child, place);
    if (!visited) {
      const bool no_box_of_ours =
          place.lenient && !beyond_limit_ && visited.error().code == ErrorCode::kCorrupt;
      if (!no_box_of_ours) return visited;
    }
    at = child->range.end;
  }
  return {};
}

Result<void> Scanner::visit_meta(const Box& box, Place place) {
  // A full box in ISO files, a plain one in QuickTime's: what fits tells.
  const auto begins_box = [&](std::uint64_t offset) -> bool {
    if (box.payload().size() < offset + 8) return false;
    const Result<Box> child = read_box(reader_, box.payload().begin + offset, box.range);
    return child && child->type.plausible();
  };
  const std::uint64_t children = !begins_box(4) && begins_box(0) ? 0 : 4;
  if (box.payload().size() < children) {
    if (place.lenient) return {};
    return bad_box(box, "it is too short for what it must hold");
  }
  SHUNT_ASSIGN(const std::int32_t index, enter(box, place));
  // A meta of the file may hold something else altogether, XML say; there is no iloc in it then.
  const bool lenient = place.lenient || place.depth == 0;
  const std::size_t first_iloc = model_.ilocs.size();
  std::optional<Box> own_dref;
  std::optional<Box>* const outer = std::exchange(dref_of_meta_, &own_dref);
  Result<void> visited = visit_children(box, box.payload().begin + children,
                                        {place.depth + 1, index, lenient, box.type});
  dref_of_meta_ = outer;
  SHUNT_TRY(visited);
  if (!own_dref || first_iloc == model_.ilocs.size()) return {};
  SHUNT_ASSIGN(const std::vector<bool> here, read_references(reader_, *own_dref));
  for (std::size_t i = first_iloc; i < model_.ilocs.size(); ++i) {
    model_.ilocs[i].set_references(here);
  }
  return {};
}

Result<void> Scanner::finish_track(const Track& track) {
  if (!track.chunk_table) return {};
  const Box& box = *track.chunk_table;
  SHUNT_ASSIGN(const std::shared_ptr<const ChunkFilter> filter,
               find_chunks_here(reader_, track.references));
  const auto kind =
      box.type == BoxType("stco") ? OffsetTable::Kind::kStco : OffsetTable::Kind::kCo64;
  SHUNT_TRY(add_table(kind, box, 4, track.container, filter));
  if (!track.stsz || !track.references.stsc) return {};
  return check_chunks(*model_.source, zones_, model_.tables.back(), *track.references.stsc,
                      *track.stsz);
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
  if (model_.tables.size() == kMaxOffsetTables) {
    return beyond_limit(table.box, "too many tables");
  }
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
  SHUNT_ASSIGN(const std::int32_t container, enter(box, place));
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
