// cmov: QuickTime's compressed movie resource, moov{cmov{dcom, cmvd}} (QuickTime File Format,
// "Allowing for Compressed Movie Resources").
#pragma once

#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/io/source.h"

namespace shunt::boxes {

// The plain moov that `moov` of `source` holds compressed, as a Source that begins with its header.
// Inflated into memory while small, otherwise into an unlinked temporary file. kCorrupt when the
// method is not zlib, the size differs from what cmvd says, or it is larger than kMaxInflatedMoov.
[[nodiscard]] Result<io::SourcePtr> inflate_moov(const io::Source& source, const Box& moov);

}  // namespace shunt::boxes
