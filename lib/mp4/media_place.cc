#include "shunt/mp4/media_place.h"

#include <algorithm>
#include <optional>

#include "shunt/mp4/moov_scan.h"

namespace shunt::mp4 {
namespace {

std::uint64_t smallest_of(const BoxModel& model, std::uint64_t from) {
  std::uint64_t smallest = UINT64_MAX;
  const auto consider = [&](std::optional<std::uint64_t> offset) {
    if (offset && *offset >= from) smallest = std::min(smallest, *offset);
  };
  for (const boxes::OffsetTable& table : model.tables) {
    for (const std::optional<std::uint64_t> in_zone : table.smallest) consider(in_zone);
  }
  for (const boxes::ItemLocations& iloc : model.ilocs) consider(iloc.smallest_address(from));
  return smallest;
}

std::uint64_t smallest_of(const FieldModel& fields, std::uint64_t from) {
  std::uint64_t smallest = UINT64_MAX;
  for (const OffsetField& field : fields.fields) {
    if (field.target >= from) smallest = std::min(smallest, field.target);
  }
  if (fields.first_relative >= from) smallest = std::min(smallest, fields.first_relative);
  for (const BoxModel& meta : fields.metas) smallest = std::min(smallest, smallest_of(meta, from));
  return smallest;
}

// Returns true if something points in front of moov, other than into a leading ftyp.
Result<bool> is_media_in_front(const io::SourcePtr& source, const FileMap& front,
                               const CancelToken* cancel) {
  const bool ftyp_first = front.ftyp_at == std::uint64_t{0};
  const boxes::Zones zones{ftyp_first ? front.insert_at : 0, front.moov.range};
  const auto in_front = [&](std::uint64_t offset) { return offset < zones.moov.begin; };
  SHUNT_ASSIGN(boxes::Budget budget, front.budget());
  SHUNT_ASSIGN(const BoxModel moov, scan_moov(source, front, zones, budget, Torn::kIgnore));
  if (in_front(smallest_of(moov, zones.insert_at))) return true;
  // Fragments behind moov can refer back at most to boxes of an unknown type.
  FileMap file = front;
  if (front.unknown_in_front) {
    SHUNT_ASSIGN(file, map_file(*source, MapUpTo::kEnd));
  }
  SHUNT_ASSIGN(const FieldModel fields,
               scan_fields(source, file, zones, moov, budget, Torn::kIgnore, cancel));
  return in_front(smallest_of(fields, zones.insert_at));
}

}  // namespace

std::uint64_t smallest_reference(const BoxModel& moov, const FieldModel& fields,
                                 std::uint64_t from) {
  return std::min(smallest_of(moov, from), smallest_of(fields, from));
}

Result<FileMap> locate_media(const io::SourcePtr& source, const CancelToken* cancel) {
  SHUNT_ASSIGN(FileMap file, map_file(*source));
  if (!file.moov_in_front || !file.filled_in_front) return file;
  const Result<bool> media = is_media_in_front(source, file, cancel);
  if (!media && media.error().code != ErrorCode::kCorrupt) return media.error();
  if (!media || !*media) return file;
  SHUNT_ASSIGN(file, map_file(*source, MapUpTo::kEnd));
  file.moov_in_front = false;
  return file;
}

}  // namespace shunt::mp4
