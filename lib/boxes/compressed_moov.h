// cmov: QuickTime's compressed movie resource, moov{cmov{dcom, cmvd}} (QuickTime File Format,
// "Allowing for Compressed Movie Resources").
#pragma once

#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/io/source.h"

namespace shunt::boxes {

// Returns the moov that the compressed `moov` of `source` contains, as a Source that begins with
// its header. Inflated into memory if small, otherwise into an unlinked temporary file. Returns
// kCorrupt if the method is not zlib, the size differs from cmvd, or it is larger than
// kMaxInflatedMoov.
[[nodiscard]] Result<io::SourcePtr> inflate_moov(const io::Source& source, const Box& moov);

}  // namespace shunt::boxes
