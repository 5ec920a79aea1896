// Which chunks of a track lie in this file, and which in others (external data references).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "io/source.h"
#include "mp4/box.h"
#include "mp4/budget.h"
#include "mp4/offset_table.h"

namespace shunt::mp4 {

// The boxes of one track that decide it; each may be missing.
struct TrackReferences {
  std::optional<Box> dref;
  std::optional<Box> stsd;
  std::optional<Box> stsc;
};

// For each entry of `dref`, whether its data lies in this file at absolute offsets: it says so, or
// names no other file (ISO/IEC 14496-12, 8.7.2: the location is relative to this file, and an empty
// one is this file).
[[nodiscard]] Result<std::vector<bool>> read_references(io::BufferedReader& reader,
                                                        const Box& dref);

// Where the data of a track lies.
struct TrackPlace {
  std::shared_ptr<const ChunkFilter> chunks;  // null: all chunks lie here
  std::vector<bool> descriptions;  // whether here, by sample description; empty: all lie here
};
// Reads stsc only when the references differ. What is kept of it comes off `budget`.
[[nodiscard]] Result<TrackPlace> find_place(io::BufferedReader& reader,
                                            const TrackReferences& track, Budget& budget);

}  // namespace shunt::mp4
