// Chunks that run past the media into moov, or begin in it: a file cut short and closed again, say.
// What a player reads of them changes when moov moves, whatever is done.
#pragma once

#include <optional>

#include "base/result.h"
#include "io/source.h"
#include "mp4/box.h"
#include "mp4/offset_table.h"

namespace shunt::mp4 {

// kCorrupt, naming the place, when a chunk of `table` has bytes in common with moov. Chunk sizes
// are those of stsc (ISO/IEC 14496-12, 8.7.4) and stsz (8.7.3.2); only where stsz lists each
// sample's size, since QuickTime's sound tracks use a constant that is no number of bytes. Reads
// the three tables once, side by side.
Result<void> check_chunks(const io::Source& source, const Zones& zones, const OffsetTable& table,
                          const Box& stsc, const Box& stsz);

}  // namespace shunt::mp4
