// Bytes that a table means as one piece and that would be torn: a chunk that begins in the media
// and runs into moov (a file cut short and closed again), one that begins in front of moov's new
// place and ends behind it, auxiliary information that lies so. What a player reads of them changes
// when moov moves, whatever is done.
#pragma once

#include <optional>

#include "base/result.h"
#include "io/source.h"
#include "mp4/box.h"
#include "mp4/offset_table.h"
#include "mp4/sample_sizes.h"

namespace shunt::mp4 {

// kCorrupt, naming the place, when a chunk of `table` would be torn or has bytes in common with
// moov. Chunk sizes are those of stsc (ISO/IEC 14496-12, 8.7.4) and of the sample sizes; where
// these are not known there is nothing to check. Reads the three tables once, side by side.
Result<void> check_chunks(const io::Source& source, const Zones& zones, const OffsetTable& table,
                          const Box& stsc, const SampleSizeBoxes& sizes);

// The same for the auxiliary information that `saio` points at; its sizes are in `saiz` (8.7.8). It
// may lie in moov. `stsc` says how it is split when there is an entry for each chunk.
Result<void> check_auxiliary(const io::Source& source, const Zones& zones, const OffsetTable& saio,
                             const Box& saiz, const std::optional<Box>& stsc);

}  // namespace shunt::mp4
