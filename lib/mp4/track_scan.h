// The boxes of a trak that together say what its tables refer to.
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

// Collected during the scan of the trak.
struct TrackBoxes {
  std::uint32_t id = 0;
  bool sound = false;
  TrackReferences references;
  std::optional<boxes::Box> chunks;  // stco or co64
  std::optional<boxes::Box> sizes;   // stsz or stz2
  std::int32_t container = -1;       // of the chunk table
  std::vector<std::size_t> saios;    // indexes in BoxModel::tables
  std::vector<boxes::Box> saizs;     // for a valid file, as many as saios and in the same order

  // Records `box`, which lies in the trak, in a box of type `parent`. Returns kCorrupt for a second
  // chunk table. Adds no tables to a model.
  Result<void> note(io::BufferedReader& reader, const boxes::Box& box, boxes::BoxType parent);
};

// Returns the part of the track that lies in other files; nullopt if there is none.
[[nodiscard]] std::optional<ExternalTrack> external_part(const TrackBoxes& track, TrackPlace place,
                                                         bool has_chunks);

// Returns kCorrupt if data of the track would be split. `chunks` is its chunk table, or null.
[[nodiscard]] Result<void> check_track(const BoxModel& model, const boxes::Zones& zones,
                                       const TrackBoxes& track, const boxes::OffsetTable* chunks);

}  // namespace shunt::mp4
