// scan_box: walks through a moov or meta and finds every offset table.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "shunt/base/big_endian.h"
#include "shunt/boxes/limits.h"
#include "shunt/mp4/box_model.h"
#include "shunt/mp4/data_references.h"
#include "shunt/mp4/track_scan.h"

namespace shunt::mp4 {
namespace {

// The containers that lead to offset tables (ISO/IEC 14496-12, table 1).
constexpr std::array kPlainContainers = {
    boxes::BoxType("moov"), boxes::BoxType("trak"), boxes::BoxType("mdia"), boxes::BoxType("minf"),
    boxes::BoxType("stbl"), boxes::BoxType("dinf"), boxes::BoxType("edts"), boxes::BoxType("udta"),
    boxes::BoxType("mvex"), boxes::BoxType("meco"),
};

// Canon's uuid in moov, which contains CTBO.
constexpr std::array<std::uint8_t, 16> kCanonUuid = {
    0x85, 0xc0, 0xb6, 0x87, 0x82, 0x0f, 0x11, 0xe0, 0x81, 0x11, 0xf4, 0xce, 0x46, 0x2b, 0x6a, 0x48};

class Scanner {
 public:
  Scanner(BoxModel& model, const boxes::Zones& zones, boxes::Budget& budget, Torn torn)
      : model_(model),
        zones_(zones),
        budget_(budget),
        torn_(torn),
        reader_(*model.source),
        in_moov_(model.box.type == boxes::BoxType("moov")) {}

  Result<void> run() {
    SHUNT_TRY(visit(model_.box, Place{}));
    return torn_ == Torn::kRefuse ? check_items() : Result<void>();
  }

 private:
  // The position of the walk in the tree.
  struct Place {
    unsigned depth = 0;
    std::int32_t container = -1;
    bool lenient = false;  // in user data, where invalid boxes are left alone
    boxes::BoxType parent;
  };

  Result<void> visit(const boxes::Box& box, Place place);
  Result<void> visit_children(const boxes::Box& box, std::uint64_t first_child, Place place);
  Result<void> visit_meta(const boxes::Box& box, Place place);
  Result<void> finish_track(const TrackBoxes& track);
  [[nodiscard]] Result<void> check_items() const;
  Result<void> add_trex(const boxes::Box& box);
  Result<void> add_table(boxes::OffsetTable::Kind kind, const boxes::Box& box,
                         std::uint64_t count_at, std::int32_t container,
                         std::shared_ptr<const boxes::ChunkFilter> filter);
  Result<void> add_saio(const boxes::Box& box, std::int32_t container);
  Result<void> add_gps(const boxes::Box& box, std::int32_t container);
  Result<void> visit_uuid(const boxes::Box& box, Place place);
  Result<void> add_iloc(const boxes::Box& box, std::int32_t container);
  // Completes the addition of a table whose entries lie within its box.
  Result<void> keep(boxes::OffsetTable table);

  // Returns the index of `box` among the containers.
  Result<std::int32_t> enter(const boxes::Box& box, const Place& place) {
    if (place.depth == boxes::kMaxDepth) {
      return beyond_limit(box, fmt::format("boxes nest deeper than {}", boxes::kMaxDepth));
    }
    if (model_.containers.size() == boxes::kMaxContainers)
      return beyond_limit(box, "too many boxes");
    if (!budget_.take(boxes::Budget::kContainer)) return beyond_limit(box, boxes::kBeyondBudget);
    model_.containers.push_back({box, place.container});
    return static_cast<std::int32_t>(model_.containers.size()) - 1;
  }

  // Removes a container in which nothing was found, and the containers in it.
  void leave(std::int32_t index, std::size_t found_before) {
    if (index == 0 || found() > found_before) return;
    const std::size_t count = model_.containers.size() - static_cast<std::size_t>(index);
    budget_.give_back(boxes::Budget::kContainer, count);
    model_.containers.resize(static_cast<std::size_t>(index));
  }
  // Number of tables and item locations so far.
  [[nodiscard]] std::size_t found() const {
    return model_.tables.size() + model_.ilocs.size() +
           (track_ != nullptr && track_->chunks ? 1 : 0);
  }

  // Returns an error that counts even in user data.
  Error beyond_limit(const boxes::Box& box, std::string_view why) {
    beyond_limit_ = true;
    return boxes::bad_box(box, why);
  }

  BoxModel& model_;
  const boxes::Zones& zones_;
  boxes::Budget& budget_;
  Torn torn_;
  io::BufferedReader reader_;
  bool in_moov_;
  TrackBoxes* track_ = nullptr;
  std::optional<boxes::Box>* dref_of_meta_ = nullptr;  // of the innermost meta
  std::size_t boxes_ = 0;
  bool beyond_limit_ = false;
  std::uint64_t iloc_bytes_ = 0;
};

Result<void> Scanner::visit(const boxes::Box& box, Place place) {
  if (++boxes_ > boxes::kMaxInnerBoxes) return beyond_limit(box, "too many boxes");
  const boxes::BoxType type = box.type;
  if (std::ranges::find(kPlainContainers, type) != kPlainContainers.end()) {
    const std::size_t before = found();
    SHUNT_ASSIGN(const std::int32_t index, enter(box, place));
    const Place inside{place.depth + 1, index, place.lenient || type == boxes::BoxType("udta"),
                       type};
    if (type != boxes::BoxType("trak") || !in_moov_) {
      SHUNT_TRY(visit_children(box, box.payload().begin, inside));
    } else {
      TrackBoxes track;
      TrackBoxes* const outer = std::exchange(track_, &track);
      Result<void> result = visit_children(box, box.payload().begin, inside);
      track_ = outer;
      SHUNT_TRY(result);
      SHUNT_TRY(finish_track(track));
    }
    leave(index, before);
    return {};
  }
  if (type == boxes::BoxType("meta")) return visit_meta(box, place);
  if (type == boxes::BoxType("iloc")) return add_iloc(box, place.container);
  if (type == boxes::BoxType("cmov")) {
    model_.has_compressed_moov = true;
    return {};
  }
  // Elsewhere vendors use these names for other things.
  const bool in_moov = in_moov_ && place.parent == boxes::BoxType("moov");
  if (in_moov && type == boxes::BoxType("uuid")) return visit_uuid(box, place);
  if (in_moov && type == boxes::BoxType("gps ")) return add_gps(box, place.container);
  if (type == boxes::BoxType("dref") && dref_of_meta_ != nullptr) {
    *dref_of_meta_ = box;
    return {};
  }
  if (type == boxes::BoxType("trex")) return add_trex(box);
  if (track_ == nullptr) return {};
  if (type == boxes::BoxType("saio")) return add_saio(box, place.container);
  SHUNT_TRY(track_->note(reader_, box, place.parent));
  if (track_->chunks && track_->container < 0) track_->container = place.container;
  return {};
}

Result<void> Scanner::visit_children(const boxes::Box& box, std::uint64_t first_child,
                                     Place place) {
  // QuickTime ends user data with a 32-bit zero; fewer than 8 bytes are never a box.
  for (std::uint64_t at = first_child; box.range.end - at >= 8;) {
    const Result<boxes::Box> child = boxes::read_box(reader_, at, box.range);
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

Result<void> Scanner::visit_meta(const boxes::Box& box, Place place) {
  // A full box in ISO files, a plain box in QuickTime: decided by which one fits.
  const auto begins_box = [&](std::uint64_t offset) -> bool {
    if (box.payload().size() < offset + 8) return false;
    const Result<boxes::Box> child =
        boxes::read_box(reader_, box.payload().begin + offset, box.range);
    return child && child->type.plausible();
  };
  const std::uint64_t children = !begins_box(4) && begins_box(0) ? 0 : 4;
  if (box.payload().size() < children) {
    if (place.lenient) return {};
    return boxes::bad_box(box, "it is too short for its content");
  }
  const std::size_t before = found();
  SHUNT_ASSIGN(const std::int32_t index, enter(box, place));
  // A file-level meta may contain something else, such as XML; it then has no iloc.
  const bool lenient = place.lenient || place.depth == 0;
  const std::size_t first_iloc = model_.ilocs.size();
  std::optional<boxes::Box> own_dref;
  std::optional<boxes::Box>* const outer = std::exchange(dref_of_meta_, &own_dref);
  Result<void> visited = visit_children(box, box.payload().begin + children,
                                        {place.depth + 1, index, lenient, box.type});
  dref_of_meta_ = outer;
  SHUNT_TRY(visited);
  leave(index, before);
  if (first_iloc == model_.ilocs.size()) return {};
  std::vector<bool> here;
  if (own_dref) {
    SHUNT_ASSIGN(here, read_references(reader_, *own_dref));
  }
  for (std::size_t i = first_iloc; i < model_.ilocs.size(); ++i) {
    model_.ilocs[i].set_references(here);
  }
  return {};
}

Result<void> Scanner::finish_track(const TrackBoxes& track) {
  SHUNT_ASSIGN(TrackPlace place, find_place(reader_, track.references, budget_));
  const boxes::OffsetTable* chunks = nullptr;
  if (track.chunks) {
    const auto kind = track.chunks->type == boxes::BoxType("stco")
                          ? boxes::OffsetTable::Kind::kStco
                          : boxes::OffsetTable::Kind::kCo64;
    SHUNT_TRY(add_table(kind, *track.chunks, 4, track.container, place.chunks));
    chunks = &model_.tables.back();
  }
  auto external = external_part(track, std::move(place), chunks != nullptr && chunks->count > 0);
  if (external) model_.external_tracks.push_back(std::move(*external));
  return torn_ == Torn::kRefuse ? check_track(model_, zones_, track, chunks) : Result<void>();
}

Result<void> Scanner::add_trex(const boxes::Box& box) {
  if (box.payload().size() < 20) return {};
  SHUNT_ASSIGN(const auto fields, boxes::view_payload(reader_, box, 4, 16));
  if (model_.fragment_defaults.size() == boxes::kMaxOffsetTables) {
    return beyond_limit(box, "too many of these");
  }
  if (!budget_.take(boxes::Budget::kTrack)) return beyond_limit(box, boxes::kBeyondBudget);
  model_.fragment_defaults.push_back({load_be<std::uint32_t>(fields.data()),
                                      load_be<std::uint32_t>(fields.data() + 4),
                                      load_be<std::uint32_t>(fields.data() + 12)});
  return {};
}

Result<void> Scanner::add_table(boxes::OffsetTable::Kind kind, const boxes::Box& box,
                                std::uint64_t count_at, std::int32_t container,
                                std::shared_ptr<const boxes::ChunkFilter> filter) {
  SHUNT_ASSIGN(const auto head, boxes::view_payload(reader_, box, count_at, 4));
  boxes::OffsetTable table;
  table.kind = kind;
  table.box = box;
  table.count = load_be<std::uint32_t>(head.data());
  table.entries_at = box.payload().begin + count_at + 4;
  table.container = container;
  table.filter = std::move(filter);
  return keep(std::move(table));
}

Result<void> Scanner::keep(boxes::OffsetTable table) {
  if (table.entries_size() > table.box.range.end - table.entries_at) {
    return boxes::bad_box(table.box, fmt::format("its {} entries do not fit its {} bytes",
                                                 table.count, table.box.range.size()));
  }
  if (model_.tables.size() == boxes::kMaxOffsetTables) {
    return beyond_limit(table.box, "too many tables");
  }
  if (!budget_.take(boxes::Budget::kTable)) return beyond_limit(table.box, boxes::kBeyondBudget);
  SHUNT_TRY(boxes::find_extremes(*model_.source, zones_, table));
  model_.tables.push_back(std::move(table));
  return {};
}

Result<void> Scanner::add_saio(const boxes::Box& box, std::int32_t container) {
  SHUNT_ASSIGN(const boxes::VersionAndFlags word, boxes::read_version_and_flags(reader_, box));
  // 8.7.9.2: with flag 1, aux_info_type and its parameter come before the count.
  const std::uint64_t count_at = (word.flags & 1) != 0 ? 12 : 4;
  const auto kind =
      word.version == 0 ? boxes::OffsetTable::Kind::kSaio32 : boxes::OffsetTable::Kind::kSaio64;
  SHUNT_TRY(add_table(kind, box, count_at, container, nullptr));
  if (track_->saios.size() < boxes::kMaxAuxiliary)
    track_->saios.push_back(model_.tables.size() - 1);
  return {};
}

Result<void> Scanner::add_gps(const boxes::Box& box, std::int32_t container) {
  // A version and a date (two words) precede the pairs; there is no count.
  constexpr std::uint64_t kHead = 8;
  if (box.payload().size() < kHead) return {};
  boxes::OffsetTable table;
  table.kind = boxes::OffsetTable::Kind::kGps;
  table.box = box;
  table.entries_at = box.payload().begin + kHead;
  const std::uint64_t count = (box.payload().size() - kHead) / table.stride();
  if (count > UINT32_MAX) return boxes::bad_box(box, "too many entries");
  table.count = static_cast<std::uint32_t>(count);
  table.container = container;
  return keep(std::move(table));
}

Result<void> Scanner::visit_uuid(const boxes::Box& box, Place place) {
  if (box.payload().size() < kCanonUuid.size()) return {};
  SHUNT_ASSIGN(const auto id, boxes::view_payload(reader_, box, 0, kCanonUuid.size()));
  if (!std::ranges::equal(id, std::as_bytes(std::span(kCanonUuid)))) return {};
  SHUNT_ASSIGN(const std::int32_t container, enter(box, place));
  for (std::uint64_t at = box.payload().begin + kCanonUuid.size(); box.range.end - at >= 8;) {
    SHUNT_ASSIGN(const boxes::Box child, boxes::read_box(reader_, at, box.range));
    if (child.type == boxes::BoxType("CTBO")) {
      SHUNT_TRY(add_table(boxes::OffsetTable::Kind::kCtbo, child, 0, container, nullptr));
    }
    at = child.range.end;
  }
  return {};
}

Result<void> Scanner::check_items() const {
  for (const boxes::ItemLocations& iloc : model_.ilocs) {
    const std::optional<ByteRange> torn = iloc.first_torn(zones_);
    if (!torn) continue;
    return boxes::bad_box(iloc.box(),
                          fmt::format("an item's data ({} bytes at byte {}) {}", torn->size(),
                                      torn->begin, zones_.why_torn(torn->begin, torn->size())));
  }
  return {};
}

Result<void> Scanner::add_iloc(const boxes::Box& box, std::int32_t container) {
  SHUNT_ASSIGN(
      boxes::ItemLocations iloc,
      boxes::ItemLocations::read(reader_, box, container, boxes::kMaxIlocBytes - iloc_bytes_));
  iloc_bytes_ += box.payload().size();
  if (!budget_.take(boxes::Budget::kItemBox) ||
      !budget_.take(boxes::Budget::kItemByte, box.payload().size())) {
    return beyond_limit(box, boxes::kBeyondBudget);
  }
  model_.ilocs.push_back(std::move(iloc));
  return {};
}

}  // namespace

Result<BoxModel> scan_box(io::SourcePtr source, const boxes::Box& box, const boxes::Zones& zones,
                          boxes::Budget& budget, Torn torn) {
  BoxModel model;
  model.source = std::move(source);
  model.box = box;
  SHUNT_TRY(Scanner(model, zones, budget, torn).run());
  // A track's tables are added at its end, after the saio boxes in it.
  std::ranges::sort(model.tables, {},
                    [](const boxes::OffsetTable& t) { return t.box.range.begin; });
  // If there are two for one track, the first counts.
  std::ranges::stable_sort(model.external_tracks, {}, &ExternalTrack::id);
  std::ranges::stable_sort(model.fragment_defaults, {}, &FragmentDefaults::track);
  return model;
}

}  // namespace shunt::mp4
