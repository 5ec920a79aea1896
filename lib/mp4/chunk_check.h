// Detects data that a table treats as one piece and that moving moov would split: a chunk that
// begins in the media and runs into moov (a file cut short and closed again), a chunk across moov's
// new place, and auxiliary information in such places. What a player reads of them changes when
// moov moves, in any case.
#pragma once

#include <optional>

#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/offset_table.h"
#include "shunt/boxes/sample_sizes.h"
#include "shunt/io/source.h"

namespace shunt::mp4 {

// Returns kCorrupt, with the offset, if a chunk of `table` would be split or overlaps moov. Chunk
// sizes come from stsc (ISO/IEC 14496-12, 8.7.4) and the sample sizes; if these are unknown nothing
// is checked. Reads the three tables once, in parallel.
Result<void> check_chunks(const io::Source& source, const boxes::Zones& zones,
                          const boxes::OffsetTable& table, const boxes::Box& stsc,
                          const boxes::SampleSizeBoxes& sizes);

// Same, for auxiliary information at the offsets of `saio`, with sizes from `saiz` (8.7.8). It may
// lie in moov. If there is an entry per chunk, `stsc` says how it is divided.
Result<void> check_auxiliary(const io::Source& source, const boxes::Zones& zones,
                             const boxes::OffsetTable& saio, const boxes::Box& saiz,
                             const std::optional<boxes::Box>& stsc);

}  // namespace shunt::mp4
