// shunt-media.so: demuxes bytes read through callbacks with libavformat. This file has its table
// and the digests of all packets. media/module_abi.h is its only interface.

extern "C" {
#include <libavformat/avformat.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
}

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>

#include "shunt/media/av_handles.h"
#include "shunt/media/input_cursor.h"
#include "shunt/media/module_abi.h"
#include "shunt/media/packet_digest.h"
#include "shunt/media/play.h"

namespace shunt::media {
namespace {

// libavformat skips an unreadable packet, and returns "end of file" for a packet beyond the end
// just as after the last one. So reading continues; this many failures in a row are the end.
constexpr int kMaxFailuresInARow = 1000;

// Reports the first failure.
class FailureReport {
 public:
  explicit FailureReport(const ShuntMediaReport& report) : report_(report) {}

  void tell(const char* reason) {
    if (!told_) report_.failed(report_.context, reason);
    told_ = true;
  }
  void tell(int code) {
    char text[AV_ERROR_MAX_STRING_SIZE] = {};
    av_strerror(code, text, sizeof text);
    tell(text);
  }

 private:
  const ShuntMediaReport& report_;
  bool told_ = false;
};

// Detects packets that were silently dropped: libavformat returns end of file for a packet beyond
// the end.
class LossCheck {
 public:
  void delivered(const AVFormatContext& format, const AVPacket& packet) {
    const AVStream* stream = format.streams[packet.stream_index];
    if (stream->discard == AVDISCARD_ALL) return;
    // A cover picture is a packet without an index entry. A truncated packet counts as lost.
    if (avformat_index_get_entries_count(stream) == 0) return;
    if ((packet.flags & AV_PKT_FLAG_CORRUPT) == 0) ++delivered_;
  }

  void finish(const AVFormatContext& format, FailureReport& failure) const {
    std::uint64_t indexed = 0;
    for (unsigned i = 0; i < format.nb_streams; ++i) {
      if (format.streams[i]->discard == AVDISCARD_ALL) continue;
      indexed += static_cast<std::uint64_t>(avformat_index_get_entries_count(format.streams[i]));
    }
    if (delivered_ >= indexed) return;
    char text[64] = {};
    std::snprintf(text, sizeof text, "incomplete packets: %llu",
                  static_cast<unsigned long long>(indexed - delivered_));
    failure.tell(text);
  }

 private:
  std::uint64_t delivered_ = 0;  // complete ones, of streams with an index
};

int open_as_mov(FormatHandle& format, AVIOContext* avio, InputCursor& cursor) {
  // No probing: the guess would depend on the first bytes, and could be a format that lists other
  // files.
  OpenOptions options;
  options.demuxer = av_find_input_format("mov");
  if (options.demuxer == nullptr) return AVERROR_DEMUXER_NOT_FOUND;
  // Packets as stored in the container: parsers and guessed times would hide its values, and need
  // avformat_find_stream_info, which decodes.
  options.flags = AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;
  return open_input(format, avio, cursor, options);
}

// libavformat skips the samples of such streams without reading them.
void leave_out(AVFormatContext& format, const ShuntMediaTracks& tracks) {
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    for (std::size_t t = 0; t < tracks.count; ++t) {
      if (format.streams[i]->id == static_cast<int>(tracks.numbers[t])) {
        format.streams[i]->discard = AVDISCARD_ALL;
      }
    }
  }
}

// Reports all packets; returns false if a callback said stop.
bool report_packets(AVFormatContext& format, AVPacket& packet, InputCursor& cursor,
                    const ShuntMediaReport& report, FailureReport& failure) {
  LossCheck loss;
  int failures_in_a_row = 0;
  while (failures_in_a_row < kMaxFailuresInARow) {
    const int code = av_read_frame(&format, &packet);
    if (cursor.stopped()) return false;
    if (code < 0) {
      ++failures_in_a_row;
      if (code != AVERROR_EOF) failure.tell(code);
      continue;
    }
    failures_in_a_row = 0;
    loss.delivered(format, packet);
    const std::uint64_t digest = digest_of(packet);
    const auto size = static_cast<std::uint64_t>(std::max(packet.size, 0));
    av_packet_unref(&packet);
    if (report.packet(report.context, digest, size) != 0) return false;
  }
  loss.finish(format, failure);
  return true;
}

int trace(const ShuntMediaInput* input, ShuntMediaTracks left_out, const ShuntMediaReport* report) {
  InputCursor cursor(*input);
  FailureReport failure(*report);
  const AvioHandle avio = make_avio(cursor);  // before `format`, which uses it to its end
  const PacketHandle packet(av_packet_alloc());
  FormatHandle format;
  const int opened = avio && packet ? open_as_mov(format, avio.get(), cursor) : AVERROR(ENOMEM);
  if (cursor.stopped()) return SHUNT_MEDIA_STOPPED;
  if (opened < 0) {
    failure.tell(opened);
    return SHUNT_MEDIA_DONE;
  }
  report->opened(report->context);
  leave_out(*format, left_out);
  if (!report_packets(*format, *packet, cursor, *report, failure)) return SHUNT_MEDIA_STOPPED;
  // At the end, since fragments add to the streams as they are read.
  report->streams(report->context, format->nb_streams, digest_of_streams(*format));
  return SHUNT_MEDIA_DONE;
}

constexpr ShuntMediaModule kModule = {SHUNT_MEDIA_ABI_VERSION, &trace, &play};

}  // namespace
}  // namespace shunt::media

extern "C" __attribute__((visibility("default"))) const ShuntMediaModule* shunt_media_module() {
  static std::once_flag silenced;
  // Its messages about a file are in `failed`; stderr belongs to the program.
  std::call_once(silenced, [] { av_log_set_level(AV_LOG_QUIET); });
  return &shunt::media::kModule;
}
