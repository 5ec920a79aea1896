#include "shunt/mp4/moov_sizing.h"

#include <fmt/format.h>

#include <algorithm>

#include "shunt/base/checked.h"
#include "shunt/boxes/limits.h"
#include "shunt/mp4/media_place.h"
#include "shunt/mp4/moov_scan.h"

namespace shunt::mp4 {
namespace {

constexpr std::uint64_t kSmallestBox = 8;

// Item locations outside moov that grow split ranges across them, as moov does.
Result<void> check_around_metas(const Movie& movie, const boxes::OffsetMap& map) {
  boxes::Zones zones = movie.zones;
  for (const boxes::OffsetMap::Piece& piece : map.pieces()) {
    const boxes::Zones::Zone zone = zones.of(piece.begin);
    const bool known = piece.begin == zones.insert_at || piece.begin == zones.moov.end;
    if ((zone == boxes::Zones::kMedia || zone == boxes::Zones::kAfter) && !known) {
      zones.cuts.push_back(piece.begin);
    }
  }
  if (zones.cuts.empty()) return {};
  SHUNT_ASSIGN(boxes::Budget budget, movie.file.budget());
  SHUNT_ASSIGN(const BoxModel moov, scan_moov(movie.source, movie.file, zones, budget));
  SHUNT_TRY(scan_fields(movie.source, movie.file, zones, moov, budget));
  return {};
}

struct Distances {
  std::uint64_t shift = 0;
  bool drops_old_moov = false;
};

boxes::OffsetMap build_map(const Movie& movie, const Room& room, const Distances& distances) {
  boxes::OffsetMap map;
  std::int64_t grown = 0;  // total growth of file-level metas so far
  const auto shift = static_cast<std::int64_t>(distances.shift);
  const auto add_metas = [&](std::uint64_t from, std::uint64_t to, std::int64_t delta) {
    for (const BoxModel& meta : movie.fields.metas) {
      if (meta.box.range.begin < from || meta.box.range.begin >= to) continue;
      add_inner_pieces(meta, delta + grown, map);
      grown += static_cast<std::int64_t>(meta.growth());
    }
  };
  const ByteRange moov = movie.file.moov.range;
  map.add(room.at, shift);
  add_metas(room.at, moov.begin, shift);
  const auto to_front = static_cast<std::int64_t>(room.at) - static_cast<std::int64_t>(moov.begin);
  map.add(moov.begin, to_front);
  if (!movie.compressed()) add_inner_pieces(movie.moov, to_front, map);
  const std::int64_t behind =
      shift - (distances.drops_old_moov ? static_cast<std::int64_t>(moov.size()) : 0);
  map.add(moov.end, behind + grown);
  add_metas(moov.end, movie.file.size, behind);
  return map;
}

Error too_small(const Room& room, std::uint64_t size) {
  Error error;
  error.code = ErrorCode::kUnsuitable;
  error.reason = fmt::format("the {} bytes reserved have no room for a moov of {}{}", room.reserved,
                             size, room.padding > 0 ? " and the padding" : "");
  return error;
}

}  // namespace

std::uint64_t Movie::first_referenced() const {
  return smallest_reference(moov, fields, zones.insert_at);
}

std::uint64_t Movie::room_behind_moov() const {
  const std::uint64_t referenced = smallest_reference(moov, fields, file.moov.range.end);
  std::uint64_t end = file.moov.range.end;
  for (const boxes::Box& box : file.free_in_front) {
    if (box.range.begin == end && box.range.end <= referenced) end = box.range.end;
  }
  return end - file.moov.range.end;
}

Result<Movie> read_movie(io::SourcePtr source, MapUpTo up_to, const CancelToken* cancel) {
  Movie movie;
  movie.source = std::move(source);
  SHUNT_ASSIGN(movie.file, locate_media(movie.source, cancel));
  const bool stays = movie.file.moov_in_front;
  if (stays) {
    if (up_to == MapUpTo::kMoovInFront) return movie;
    SHUNT_ASSIGN(movie.file, map_file(*movie.source, up_to));
    movie.file.leave_moov();
  }
  const auto scan = [&]() -> Result<void> {
    movie.zones = {movie.file.insert_at, movie.file.moov.range};
    movie.moov = {};
    movie.fields = {};
    SHUNT_ASSIGN(boxes::Budget budget, movie.file.budget());
    SHUNT_ASSIGN(movie.moov, scan_moov(movie.source, movie.file, movie.zones, budget));
    SHUNT_ASSIGN(movie.fields, scan_fields(movie.source, movie.file, movie.zones, movie.moov,
                                           budget, Torn::kRefuse, cancel));
    return {};
  };
  Result<void> scanned = scan();
  const std::uint64_t ftyp_at = movie.file.ftyp_at.value_or(0);
  if (!stays && scanned && ftyp_at > 0 && smallest_reference(movie.moov, movie.fields) < ftyp_at) {
    movie.file.put_moov_first();
    scanned = scan();
  }
  if (!scanned) return scanned.error().with_path(movie.source->name());
  return movie;
}

std::uint64_t Room::opened_for(std::uint64_t size) const {
  const std::uint64_t wanted = padding > 0 ? size + std::max(padding, kSmallestBox) : size;
  std::uint64_t room = round_up(std::max(wanted, at_least), unit);
  while ((room != size || joined > 0) && room - size < kSmallestBox)
    room += unit < kSmallestBox ? 1 : unit;
  return room;
}

Result<Sizing> size_moov(Movie& movie, const Room& room) {
  Sizing sizing;
  sizing.drops_old_moov = !room.keep_old_moov || movie.file.moov_is_last();
  unsigned passes = 0;
  for (bool changed = true; changed;) {
    sizing.moov_size = movie.moov.moved_size();
    if (sizing.moov_size > boxes::kMaxMoovSize) {
      return boxes::bad_box(movie.file.moov, "it would grow past 4 GiB")
          .with_path(movie.source->name());
    }
    if (room.reserved > 0) {
      const std::uint64_t padding = room.padding > 0 ? std::max(room.padding, kSmallestBox) : 0;
      const std::uint64_t left = room.reserved - std::min(room.reserved, sizing.moov_size);
      if (sizing.moov_size > room.reserved || left < padding || (left > 0 && left < kSmallestBox)) {
        return too_small(room, sizing.moov_size);
      }
      sizing.free_size = left;
    } else {
      sizing.shift = room.opened_for(sizing.moov_size);
      sizing.free_size = sizing.shift - sizing.moov_size;
      sizing.joined = room.joined;
    }
    const boxes::OffsetMap map = build_map(movie, room, {sizing.shift, sizing.drops_old_moov});
    // Each pass may push one more table above 4 GiB. Real files settle in two or three passes;
    // after kMaxSizingPasses, every table is widened that the remaining growth could push.
    const std::uint64_t slack =
        ++passes > boxes::kMaxSizingPasses
            ? std::min<std::uint64_t>(movie.moov.possible_growth(), UINT32_MAX)
            : 0;
    SHUNT_ASSIGN(changed, grow_for(movie.moov, map, movie.zones, slack));
    for (BoxModel& meta : movie.fields.metas) {
      SHUNT_ASSIGN(const bool grew, grow_for(meta, map, movie.zones));
      if (grew && meta.box.range.begin < room.at) {
        return boxes::bad_box(meta.box, "its item locations would have to grow in front of moov");
      }
      changed = changed || grew;
    }
    if (!changed) sizing.map = std::make_shared<const boxes::OffsetMap>(map);
  }
  const auto grown = [](const BoxModel& meta) { return meta.growth() > 0; };
  if (std::ranges::any_of(movie.fields.metas, grown)) {
    SHUNT_TRY(check_around_metas(movie, *sizing.map));
  }
  return sizing;
}

void reset_sizing(Movie& movie) {
  const auto reset = [](BoxModel& model) {
    for (boxes::OffsetTable& table : model.tables) table.widened = false;
    for (boxes::ItemLocations& iloc : model.ilocs) iloc.reset();
  };
  reset(movie.moov);
  for (BoxModel& meta : movie.fields.metas) reset(meta);
}

}  // namespace shunt::mp4
