// Digests of what libavformat delivers: all that a player can see, nothing about where it lay.
#pragma once

#include <cstdint>

extern "C" {
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
}

namespace shunt::media {

// XXH3-64, the same on every machine of one byte order.
[[nodiscard]] std::uint64_t digest_of(const AVPacket& packet);

// Of all streams in order. What libavformat only estimates while it reads (bit rate, frame rate,
// start time) is left out: it depends on how far it has read.
[[nodiscard]] std::uint64_t digest_of_streams(const AVFormatContext& format);

}  // namespace shunt::media
