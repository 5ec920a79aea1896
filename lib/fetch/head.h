// What is needed first of a Source: for a player, the boxes in front and the first seconds; for a
// reader of an image layer, the table of contents.
#pragma once

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/source/session.h"

namespace shunt::fetch {

// Reads it through the Source, and so into the cache. For an eStargz or zstd:chunked layer: the
// footer and the table of contents. For a media file: the first 64 KiB, and all that libavformat
// reads until the first video and audio streams have passed `seconds`. Otherwise the first MiB.
Result<void> read_head(const source::Opened& opened, double seconds, const CancelToken* cancel);

// The fallback for a media file without the media module: the first MiB, and for MP4 and MOV the
// moov box, wherever it is.
Result<void> read_head_without_media(const io::Source& source, const CancelToken* cancel);

}  // namespace shunt::fetch
