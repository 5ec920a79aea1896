// What is needed first of a Source: for a player, the boxes in front and the first seconds; for a
// reader of an image layer, its table of contents.
#pragma once

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/source/session.h"

namespace shunt::fetch {

// Reads it through the Source, which brings it into the cache: the footer and the table of contents
// of an eStargz or zstd:chunked layer; of a media file, all that libavformat reads until the first
// video and audio have come past `seconds`, and the first 64 KiB; of anything else the first MiB.
Result<void> read_head(const source::Opened& opened, double seconds, const CancelToken* cancel);

// What is left of it for a media file when the media module cannot be loaded: the first MiB, and of
// an MP4 or MOV the moov box, wherever it lies.
Result<void> read_head_without_media(const io::Source& source, const CancelToken* cancel);

}  // namespace shunt::fetch
