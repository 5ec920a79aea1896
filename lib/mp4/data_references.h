// Which chunks of a track lie in this file, and which in others (external data references).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "io/source.h"
#include "mp4/box.h"
#include "mp4/offset_table.h"

namespace shunt::mp4 {

// The boxes of one track that decide it; each may be missing.
struct TrackReferences {
  std::optional<Box> dref;
  std::optional<Box> stsd;
  std::optional<Box> stsc;
};

// For each entry of `dref`, whether its data lies in this file at absolute offsets.
[[nodiscard]] Result<std::vector<bool>> read_references(io::BufferedReader& reader,
                                                        const Box& dref);

// Null when every chunk lies here. Reads stsc only when the references differ.
[[nodiscard]] Result<std::shared_ptr<const ChunkFilter>> find_chunks_here(
    io::BufferedReader& reader, const TrackReferences& track);

}  // namespace shunt::mp4
