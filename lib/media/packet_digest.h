// Digests of what libavformat delivers: everything a player sees, but not where it lay in the file.
#pragma once

#include <cstdint>

extern "C" {
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
}

namespace shunt::media {

// Returns the XXH3-64 of a packet; the same on all machines of one byte order.
[[nodiscard]] std::uint64_t digest_of(const AVPacket& packet);

// Returns the digest of all streams, in order. Values that libavformat estimates while reading (bit
// rate, frame rate, start time) are left out: they depend on how far it has read.
[[nodiscard]] std::uint64_t digest_of_streams(const AVFormatContext& format);

}  // namespace shunt::media
