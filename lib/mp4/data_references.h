// Which chunks of a track lie in this file, and which in others (external data references).
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

// The boxes of one track that decide it; each may be missing.
struct TrackReferences {
  std::optional<boxes::Box> dref;
  std::optional<boxes::Box> stsd;
  std::optional<boxes::Box> stsc;
};

// For each entry of `dref`, whether its data lies in this file at absolute offsets: it says so, or
// names no other file (ISO/IEC 14496-12, 8.7.2: the location is relative to this file, and an empty
// one is this file).
[[nodiscard]] Result<std::vector<bool>> read_references(io::BufferedReader& reader,
                                                        const boxes::Box& dref);

// Where the data of a track lies.
struct TrackPlace {
  std::shared_ptr<const boxes::ChunkFilter> chunks;  // null: all chunks lie here
  std::vector<bool> descriptions;  // whether here, by sample description; empty: all lie here
};
// Reads stsc only when the references differ. What is kept of it comes off `budget`.
[[nodiscard]] Result<TrackPlace> find_place(io::BufferedReader& reader,
                                            const TrackReferences& track, boxes::Budget& budget);

}  // namespace shunt::mp4
