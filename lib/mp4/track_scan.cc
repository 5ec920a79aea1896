#include "shunt/mp4/track_scan.h"

#include <algorithm>

#include "shunt/base/big_endian.h"
#include "shunt/boxes/limits.h"
#include "shunt/mp4/chunk_check.h"

namespace shunt::mp4 {

Result<void> TrackBoxes::note(io::BufferedReader& reader, const boxes::Box& box,
                              boxes::BoxType parent) {
  const boxes::BoxType type = box.type;
  if (type == boxes::BoxType("tkhd") && box.payload().size() >= 24) {
    // 8.3.2: after the creation and modification times, of 4 or 8 bytes each.
    SHUNT_ASSIGN(const boxes::VersionAndFlags word, boxes::read_version_and_flags(reader, box));
    SHUNT_ASSIGN(const auto field,
                 boxes::view_payload(reader, box, word.version == 1 ? 20 : 12, 4));
    id = load_be<std::uint32_t>(field.data());
  } else if (type == boxes::BoxType("hdlr") && parent == boxes::BoxType("mdia") &&
             box.payload().size() >= 12) {
    SHUNT_ASSIGN(const auto field, boxes::view_payload(reader, box, 8, 4));
    sound = load_be<std::uint32_t>(field.data()) == boxes::BoxType("soun").code();
  } else if (type == boxes::BoxType("dref")) {
    references.dref = box;
  } else if (type == boxes::BoxType("stsd")) {
    references.stsd = box;
  } else if (type == boxes::BoxType("stsc")) {
    references.stsc = box;
  } else if (type == boxes::BoxType("stsz") || type == boxes::BoxType("stz2")) {
    sizes = box;
  } else if (type == boxes::BoxType("saiz")) {
    if (saizs.size() < boxes::kMaxAuxiliary) saizs.push_back(box);
  } else if (type == boxes::BoxType("stco") || type == boxes::BoxType("co64")) {
    if (chunks) return boxes::bad_box(box, "a second table of chunks in one track");
    chunks = box;
  }
  return {};
}

std::optional<ExternalTrack> external_part(const TrackBoxes& track, TrackPlace place,
                                           bool has_chunks) {
  using Chunks = ExternalTrack::Chunks;
  const auto is_here = [](bool here) { return here; };
  if (std::ranges::all_of(place.descriptions, is_here)) return std::nullopt;
  ExternalTrack external;
  external.id = track.id;
  if (place.chunks != nullptr) {
    external.away = place.chunks->none_here() ? Chunks::kAll : Chunks::kSome;
  } else if (has_chunks) {
    external.away = Chunks::kHere;
  } else {
    external.away =
        std::ranges::none_of(place.descriptions, is_here) ? Chunks::kAll : Chunks::kSome;
  }
  external.here = std::move(place.descriptions);
  return external;
}

Result<void> check_track(const BoxModel& model, const boxes::Zones& zones, const TrackBoxes& track,
                         const boxes::OffsetTable* chunks) {
  const std::optional<boxes::Box>& stsc = track.references.stsc;
  if (chunks != nullptr && track.sizes && stsc) {
    SHUNT_TRY(check_chunks(*model.source, zones, *chunks, *stsc,
                           {*track.sizes, track.references.stsd, track.sound}));
  }
  if (track.saios.size() != track.saizs.size()) return {};
  for (std::size_t i = 0; i < track.saios.size(); ++i) {
    SHUNT_TRY(
        check_auxiliary(*model.source, zones, model.tables[track.saios[i]], track.saizs[i], stsc));
  }
  return {};
}

}  // namespace shunt::mp4
