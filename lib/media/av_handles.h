// RAII handles for FFmpeg. Only for the module: nothing else includes FFmpeg.
#pragma once

extern "C" {
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavutil/mem.h>
}

#include <memory>

namespace shunt::media {

struct FormatCloser {
  // Also valid for a context that was never opened. The AVIOContext is not closed here.
  void operator()(AVFormatContext* format) const { avformat_close_input(&format); }
};
struct PacketFreer {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct AvioFreer {
  void operator()(AVIOContext* avio) const {
    av_freep(&avio->buffer);  // libavformat may have replaced the first buffer
    avio_context_free(&avio);
  }
};

using FormatHandle = std::unique_ptr<AVFormatContext, FormatCloser>;
using PacketHandle = std::unique_ptr<AVPacket, PacketFreer>;
using AvioHandle = std::unique_ptr<AVIOContext, AvioFreer>;

}  // namespace shunt::media
