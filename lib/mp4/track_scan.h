// The boxes of one trak, which only together say what its tables refer to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/zones.h"
#include "shunt/io/source.h"
#include "shunt/mp4/box_model.h"
#include "shunt/mp4/data_references.h"

namespace shunt::mp4 {

// Collected while the trak is walked through.
struct TrackBoxes {
  std::uint32_t id = 0;
  bool sound = false;
  TrackReferences references;
  std::optional<boxes::Box> chunks;  // stco or co64
  std::optional<boxes::Box> sizes;   // stsz or stz2
  std::int32_t container = -1;       // of the chunk table
  std::vector<std::size_t> saios;    // in BoxModel::tables
  std::vector<boxes::Box> saizs;     // as many, in the same order, where all is well

  // Takes down `box`, which lies in the trak, within a box of type `parent`. kCorrupt for a second
  // table of chunks. Tables are not added to a model here.
  Result<void> note(io::BufferedReader& reader, const boxes::Box& box, boxes::BoxType parent);
};

// What of the track lies in other files; nullopt when nothing does.
[[nodiscard]] std::optional<ExternalTrack> external_part(const TrackBoxes& track, TrackPlace place,
                                                         bool has_chunks);

// kCorrupt when something of the track would be torn. `chunks` is its table, null when it has none.
[[nodiscard]] Result<void> check_track(const BoxModel& model, const boxes::Zones& zones,
                                       const TrackBoxes& track, const boxes::OffsetTable* chunks);

}  // namespace shunt::mp4
