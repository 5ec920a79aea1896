// Reads from a media file what a player reads before it shows the first seconds.
#pragma once

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"

namespace shunt::media {

// Reads through `source`, so that a cache behind it holds the bytes afterwards: the index, wherever
// it is, and packets until the first video and the first audio stream have passed `seconds`, at
// most 64 MiB of packets. Recognises MP4, MOV, Matroska, WebM, MPEG-TS and -PS, Ogg, FLV, AVI, WAV,
// FLAC, MP3, AAC and ASF by content. Returns false if libavformat cannot open it as one of them.
// Damage after that is not an error; reading then ends early. Errors: those of the Source;
// kInterrupted once `cancel` (may be null) is requested; kFailed if the media module cannot be
// loaded. Thread-safe.
[[nodiscard]] Result<bool> play_head(const io::Source& source, double seconds,
                                     const CancelToken* cancel);

}  // namespace shunt::media
