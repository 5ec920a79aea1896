// cmov: QuickTime's compressed movie resource, moov{cmov{dcom, cmvd}} (QuickTime File Format,
// "Allowing for Compressed Movie Resources").
#pragma once

#include "base/result.h"
#include "io/source.h"
#include "mp4/box.h"

namespace shunt::mp4 {

// The plain moov that `moov` of `source` holds compressed, as a Source that begins with its header.
// Inflated into memory while small, otherwise into an unlinked temporary file. kCorrupt when the
// method is not zlib, the size differs from what cmvd says, or it is larger than kMaxInflatedMoov.
[[nodiscard]] Result<io::SourcePtr> inflate_moov(const io::Source& source, const Box& moov);

}  // namespace shunt::mp4
