#include "shunt/media/play.h"

extern "C" {
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <libavutil/mathematics.h>
}

#include <algorithm>
#include <optional>
#include <vector>

#include "shunt/media/av_handles.h"
#include "shunt/media/input_cursor.h"

namespace shunt::media {
namespace {

// Formats that read a single file. Others are lists of files, need a device, or accept any text.
constexpr const char* kOneFileFormats = "mov,matroska,mpegts,mpeg,ogg,flv,avi,wav,flac,mp3,aac,asf";

// Limit on what opening may read. The largest part is an MP4's index; a larger one is not read as
// part of a head.
constexpr std::uint64_t kMostForOpening = std::uint64_t{512} << 20;

// Packets without times do not tell how far they reach. This is some seconds of most audio.
constexpr std::uint64_t kMostWithoutTime = std::uint64_t{1} << 20;

// A stream may end early or begin late. If others are this much ahead, nothing is missing.
constexpr double kSlackSeconds = 5;

constexpr int kMaxFailuresInARow = 100;

// Text and noise look a little like MPEG audio, and would be searched for it.
constexpr int kWeakGuess = AVPROBE_SCORE_RETRY;

// How far a stream has been read.
class StreamClock {
 public:
  void advance(const AVPacket& packet, AVRational time_base) {
    const double unit = av_q2d(time_base);
    const double duration = static_cast<double>(std::max<std::int64_t>(packet.duration, 0)) * unit;
    summed_ += duration;
    const std::int64_t stamp = packet.dts != AV_NOPTS_VALUE ? packet.dts : packet.pts;
    if (stamp == AV_NOPTS_VALUE) return;
    const double time = static_cast<double>(stamp) * unit;
    if (!first_) first_ = time;
    reached_ = std::max(reached_, time + duration - *first_);
  }
  // In seconds from its begin.
  [[nodiscard]] double reached() const { return first_ ? reached_ : summed_; }

 private:
  std::optional<double> first_;
  double reached_ = 0;
  double summed_ = 0;  // of durations; for streams without time stamps
};

class Playhead {
 public:
  Playhead(const AVFormatContext& format, double seconds) : format_(format), seconds_(seconds) {}

  void advance(const AVPacket& packet) {
    // Streams may be added while packets are read.
    if (clocks_.size() < format_.nb_streams) clocks_.resize(format_.nb_streams);
    const auto index = static_cast<std::size_t>(packet.stream_index);
    clocks_.at(index).advance(packet, format_.streams[index]->time_base);
  }

  // Returns true if the first video and the first audio stream have arrived; if there is neither,
  // any.
  [[nodiscard]] bool arrived() const {
    const auto video = reached(AVMEDIA_TYPE_VIDEO);
    const auto audio = reached(AVMEDIA_TYPE_AUDIO);
    if (!video && !audio) return furthest() >= seconds_;
    const double behind = std::min(video.value_or(furthest()), audio.value_or(furthest()));
    return behind >= seconds_ || furthest() >= seconds_ + kSlackSeconds;
  }

  [[nodiscard]] double furthest() const {
    double most = 0;
    for (const StreamClock& clock : clocks_) most = std::max(most, clock.reached());
    return most;
  }

 private:
  [[nodiscard]] std::optional<double> reached(AVMediaType type) const {
    for (std::size_t i = 0; i < clocks_.size(); ++i) {
      const AVStream& stream = *format_.streams[i];
      if (stream.codecpar->codec_type != type) continue;
      if ((stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) continue;  // a cover
      return clocks_[i].reached();
    }
    return std::nullopt;
  }

  const AVFormatContext& format_;
  double seconds_;
  std::vector<StreamClock> clocks_;
};

void read_until(AVFormatContext& format, AVPacket& packet, InputCursor& cursor, double seconds,
                std::uint64_t most) {
  Playhead head(format, seconds);
  std::uint64_t payload = 0;
  int failures_in_a_row = 0;
  while (!head.arrived() && payload < most && failures_in_a_row < kMaxFailuresInARow) {
    const int code = av_read_frame(&format, &packet);
    if (cursor.stopped() || code == AVERROR_EOF) return;
    if (code < 0) {
      ++failures_in_a_row;
      continue;
    }
    failures_in_a_row = 0;
    payload += static_cast<std::uint64_t>(std::max(packet.size, 0));
    head.advance(packet);
    av_packet_unref(&packet);
    if (head.furthest() <= 0 && payload >= kMostWithoutTime) return;
  }
}

}  // namespace

int play(const ShuntMediaInput* input, double seconds, std::uint64_t most) {
  InputCursor cursor(*input);
  const AvioHandle avio = make_avio(cursor);  // before `format`, which uses it to its end
  const PacketHandle packet(av_packet_alloc());
  FormatHandle format;
  if (!avio || !packet) return SHUNT_MEDIA_REFUSED;
  OpenOptions options;
  options.whitelist = kOneFileFormats;
  // Otherwise the headers of all fragments would be read now.
  options.flags = AVFMT_FLAG_IGNIDX;
  cursor.allow(kMostForOpening);
  const int opened = open_input(format, avio.get(), cursor, options);
  if (cursor.stopped()) return SHUNT_MEDIA_STOPPED;
  if (opened < 0 || format->probe_score <= kWeakGuess) return SHUNT_MEDIA_REFUSED;
  // Allows as much again for what lies between the payload: other streams, headers, seeks.
  cursor.allow(most < UINT64_MAX / 2 ? most * 2 : UINT64_MAX);
  read_until(*format, *packet, cursor, seconds, most);
  return cursor.stopped() ? SHUNT_MEDIA_STOPPED : SHUNT_MEDIA_DONE;
}

}  // namespace shunt::media
