// Bytes that a table means as one piece and that would be torn: a chunk that begins in the media
// and runs into moov (a file cut short and closed again), one that begins in front of moov's new
// place and ends behind it, auxiliary information that lies so. What a player reads of them changes
// when moov moves, whatever is done.
#pragma once

#include <optional>

#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/offset_table.h"
#include "shunt/boxes/sample_sizes.h"
#include "shunt/io/source.h"

namespace shunt::mp4 {

// kCorrupt, naming the place, when a chunk of `table` would be torn or has bytes in common with
// moov. Chunk sizes are those of stsc (ISO/IEC 14496-12, 8.7.4) and of the sample sizes; where
// these are not known there is nothing to check. Reads the three tables once, side by side.
Result<void> check_chunks(const io::Source& source, const boxes::Zones& zones,
                          const boxes::OffsetTable& table, const boxes::Box& stsc,
                          const boxes::SampleSizeBoxes& sizes);

// The same for the auxiliary information that `saio` points at; its sizes are in `saiz` (8.7.8). It
// may lie in moov. `stsc` says how it is split when there is an entry for each chunk.
Result<void> check_auxiliary(const io::Source& source, const boxes::Zones& zones,
                             const boxes::OffsetTable& saio, const boxes::Box& saiz,
                             const std::optional<boxes::Box>& stsc);

}  // namespace shunt::mp4
