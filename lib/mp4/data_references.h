// Finds out which chunks of a track lie in this file and which in others (external data
// references).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/budget.h"
#include "shunt/boxes/offset_table.h"
#include "shunt/io/source.h"

namespace shunt::mp4 {

// The boxes that decide it; each may be missing.
struct TrackReferences {
  std::optional<boxes::Box> dref;
  std::optional<boxes::Box> stsd;
  std::optional<boxes::Box> stsc;
};

// Returns for each entry of `dref` whether its data lies in this file: its flag says so, or it
// names no other file (ISO/IEC 14496-12, 8.7.2: a location is relative to this file, and an empty
// one is this file).
[[nodiscard]] Result<std::vector<bool>> read_references(io::BufferedReader& reader,
                                                        const boxes::Box& dref);

// Where the data of a track lies.
struct TrackPlace {
  std::shared_ptr<const boxes::ChunkFilter> chunks;  // null: all chunks lie here
  std::vector<bool> descriptions;  // true: in this file; by sample description; empty: all are
};
// Reads stsc only if the references differ. What is kept of it is taken from `budget`.
[[nodiscard]] Result<TrackPlace> find_place(io::BufferedReader& reader,
                                            const TrackReferences& track, boxes::Budget& budget);

}  // namespace shunt::mp4
