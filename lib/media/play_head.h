// Reads of a media file what a player reads before it shows the first seconds.
#pragma once

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"

namespace shunt::media {

// Reads it through `source`, so that a cache behind it holds it afterwards: the index, wherever it
// lies, and packets until the first video and the first audio stream have come past `seconds`; at
// most 64 MiB of packets. Knows MP4 and MOV, Matroska and WebM, MPEG-TS and -PS, Ogg, FLV, AVI,
// WAV, FLAC, MP3, AAC and ASF, by what they look like. False when libavformat can open it as none
// of them. Damage behind that is no error; reading ends earlier then. Errors: those of the Source
// as they are; kInterrupted once `cancel`, which may be null, is requested; kFailed when the media
// module cannot be loaded. Any thread may call.
[[nodiscard]] Result<bool> play_head(const io::Source& source, double seconds,
                                     const CancelToken* cancel);

}  // namespace shunt::media
