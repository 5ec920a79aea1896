// shunt-media.so: demuxes bytes that it reads through callbacks with libavformat. Here: its table,
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

// libavformat skips a packet that it could not read, and says "end of file" for one that lies
// behind the end as it does after the last. So we go on; this many failures in a row are the end.
constexpr int kMaxFailuresInARow = 1000;

// Tells of the first failure.
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

// Sees packets that were silently left out: libavformat calls it the end of the file when one lies
// behind it.
class LossCheck {
 public:
  void delivered(const AVFormatContext& format, const AVPacket& packet) {
    const AVStream* stream = format.streams[packet.stream_index];
    if (stream->discard == AVDISCARD_ALL) return;
    // A cover picture is a packet without an index entry; one cut short counts as lost.
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
    std::snprintf(text, sizeof text, "packets not read in whole: %llu",
                  static_cast<unsigned long long>(indexed - delivered_));
    failure.tell(text);
  }

 private:
  std::uint64_t delivered_ = 0;  // whole ones, of streams with an index
};

int open_as_mov(FormatHandle& format, AVIOContext* avio, InputCursor& cursor) {
  // Not probed: the guess would depend on which bytes stand in front, and formats that are lists of
  // other files could be guessed too.
  OpenOptions options;
  options.demuxer = av_find_input_format("mov");
  if (options.demuxer == nullptr) return AVERROR_DEMUXER_NOT_FOUND;
  // Packets as the container has them: parsers and guessed times would hide what it says, and need
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

// Reports packets until the last one; false when a callback said stop.
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
  // Only now: fragments add to the streams as they are read.
  report->streams(report->context, format->nb_streams, digest_of_streams(*format));
  return SHUNT_MEDIA_DONE;
}

constexpr ShuntMediaModule kModule = {SHUNT_MEDIA_ABI_VERSION, &trace, &play};

}  // namespace
}  // namespace shunt::media

extern "C" __attribute__((visibility("default"))) const ShuntMediaModule* shunt_media_module() {
  static std::once_flag silenced;
  // Its complaints about a file are in `failed`; stderr belongs to the program.
  std::call_once(silenced, [] { av_log_set_level(AV_LOG_QUIET); });
  return &shunt::media::kModule;
}
