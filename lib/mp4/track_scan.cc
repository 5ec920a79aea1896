#include "mp4/track_scan.h"

#include <algorithm>

#include "base/big_endian.h"
#include "mp4/chunk_check.h"
#include "mp4/limits.h"

namespace shunt::mp4 {

Result<void> TrackBoxes::note(io::BufferedReader& reader, const Box& box, BoxType parent) {
  const BoxType type = box.type;
  if (type == BoxType("tkhd") && box.payload().size() >= 24) {
    // 8.3.2: behind the times of creation and change, which are of 4 or 8 bytes.
    SHUNT_ASSIGN(const VersionAndFlags word, read_version_and_flags(reader, box));
    SHUNT_ASSIGN(const auto field, view_payload(reader, box, word.version == 1 ? 20 : 12, 4));
    id = load_be<std::uint32_t>(field.data());
  } else if (type == BoxType("hdlr") && parent == BoxType("mdia") && box.payload().size() >= 12) {
    SHUNT_ASSIGN(const auto field, view_payload(reader, box, 8, 4));
    sound = load_be<std::uint32_t>(field.data()) == BoxType("soun").code();
  } else if (type == BoxType("dref")) {
    references.dref = box;
  } else if (type == BoxType("stsd")) {
    references.stsd = box;
  } else if (type == BoxType("stsc")) {
    references.stsc = box;
  } else if (type == BoxType("stsz") || type == BoxType("stz2")) {
    sizes = box;
  } else if (type == BoxType("saiz")) {
    if (saizs.size() < kMaxAuxiliary) saizs.push_back(box);
  } else if (type == BoxType("stco") || type == BoxType("co64")) {
    if (chunks) return bad_box(box, "a second table of chunks in one track");
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

Result<void> check_track(const BoxModel& model, const Zones& zones, const TrackBoxes& track,
                         const OffsetTable* chunks) {
  const std::optional<Box>& stsc = track.references.stsc;
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
