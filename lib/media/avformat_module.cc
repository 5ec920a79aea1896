// shunt-media.so: demuxes bytes that it reads through callbacks with libavformat, and reports a
// digest of each packet. media/module_abi.h is its only interface.

extern "C" {
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
}

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <mutex>

#include "media/av_handles.h"
#include "media/module_abi.h"
#include "media/packet_digest.h"

namespace shunt::media {
namespace {

// Enough for neighbouring tracks to interleave within it, so that going from one to the other does
// not read the file again.
constexpr int kBufferSize = 128 * 1024;

// libavformat skips a packet that it could not read, and says "end of file" for one that lies
// behind the end as it does after the last. So we go on; this many failures in a row are the end.
constexpr int kMaxFailuresInARow = 1000;

constexpr std::uint64_t kMaxOffset =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

// A read position over the callbacks of an input.
class InputCursor {
 public:
  explicit InputCursor(const ShuntMediaInput& input) : input_(input) {}

  // Whether the work is to end at once. libavformat hears AVERROR_EXIT meanwhile, which it may take
  // for damage and go on, so that callers must ask here.
  [[nodiscard]] bool stopped() {
    if (!stopped_) stopped_ = input_.cancelled(input_.context) != 0;
    return stopped_;
  }

  // The three below are for AVIOContext and AVIOInterruptCB; `opaque` is an InputCursor.
  static int read(void* opaque, std::uint8_t* into, int size) {
    auto& self = *static_cast<InputCursor*>(opaque);
    if (self.stopped()) return AVERROR_EXIT;
    if (size <= 0) return AVERROR(EINVAL);
    if (self.position_ >= self.input_.size) return AVERROR_EOF;
    const std::uint64_t left = self.input_.size - self.position_;
    const auto amount =
        static_cast<std::size_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(size), left));
    const std::int64_t got = self.input_.read_at(self.input_.context, self.position_, into, amount);
    if (got < 0) {
      self.stopped_ = true;
      return AVERROR_EXIT;
    }
    if (got == 0) return AVERROR_EOF;
    self.position_ += static_cast<std::uint64_t>(got);
    return static_cast<int>(got);
  }

  // Past the end is allowed, as with lseek: a refused seek leaves libavformat where it was, and it
  // would take the payload of a truncated box for boxes.
  static std::int64_t seek(void* opaque, std::int64_t offset, int whence) {
    auto& self = *static_cast<InputCursor*>(opaque);
    if (self.input_.size > kMaxOffset) return AVERROR(EFBIG);
    const auto size = static_cast<std::int64_t>(self.input_.size);
    std::int64_t base = 0;
    switch (whence & ~AVSEEK_FORCE) {
      case AVSEEK_SIZE:
        return size;
      case SEEK_SET:
        break;
      case SEEK_CUR:
        base = static_cast<std::int64_t>(self.position_);
        break;
      case SEEK_END:
        base = size;
        break;
      default:
        return AVERROR(EINVAL);
    }
    std::int64_t target = 0;
    if (__builtin_add_overflow(base, offset, &target) || target < 0) return AVERROR(EINVAL);
    self.position_ = static_cast<std::uint64_t>(target);
    return target;
  }

  static int interrupted(void* opaque) {
    return static_cast<InputCursor*>(opaque)->stopped() ? 1 : 0;
  }

 private:
  const ShuntMediaInput& input_;
  std::uint64_t position_ = 0;
  bool stopped_ = false;
};

// A file may name other files (data references, aliases); nothing but the input is ever read.
int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

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
    // A cover picture is a packet without an index entry; one cut short counts as lost.
    if (avformat_index_get_entries_count(stream) == 0) return;
    if ((packet.flags & AV_PKT_FLAG_CORRUPT) == 0) ++delivered_;
  }

  void finish(const AVFormatContext& format, FailureReport& failure) const {
    std::uint64_t indexed = 0;
    for (unsigned i = 0; i < format.nb_streams; ++i) {
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

AvioHandle make_avio(InputCursor& cursor) {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferSize));
  if (buffer == nullptr) return nullptr;
  AVIOContext* avio = avio_alloc_context(buffer, kBufferSize, 0, &cursor, &InputCursor::read,
                                         nullptr, &InputCursor::seek);
  if (avio == nullptr) av_free(buffer);
  return AvioHandle(avio);
}

// Opens `format`, which is empty and is so again on failure; returns 0 or an AVERROR.
int open_input(FormatHandle& format, AVIOContext* avio, InputCursor& cursor) {
  // Not probed: the guess would depend on which bytes stand in front, and formats that are lists of
  // other files could be guessed too.
  const AVInputFormat* mov = av_find_input_format("mov");
  if (mov == nullptr) return AVERROR_DEMUXER_NOT_FOUND;
  format.reset(avformat_alloc_context());
  if (!format) return AVERROR(ENOMEM);
  format->pb = avio;
  format->io_open = &refuse_to_open;
  format->interrupt_callback = {&InputCursor::interrupted, &cursor};
  // Packets as the container has them: parsers and guessed times would hide what it says, and need
  // avformat_find_stream_info, which decodes.
  format->flags |= AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;

  AVDictionary* options = nullptr;
  av_dict_set(&options, "enable_drefs", "0", 0);
  av_dict_set(&options, "use_absolute_path", "0", 0);
  // Otherwise the samples of chapter tracks would be taken for chapters and not be delivered.
  av_dict_set(&options, "ignore_chapters", "1", 0);
  AVFormatContext* opening = format.release();  // freed and nulled by a failure
  const int code = avformat_open_input(&opening, "", mov, &options);
  format.reset(opening);
  av_dict_free(&options);
  return code;
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

int trace(const ShuntMediaInput* input, const ShuntMediaReport* report) {
  InputCursor cursor(*input);
  FailureReport failure(*report);
  const AvioHandle avio = make_avio(cursor);  // before `format`, which uses it to its end
  const PacketHandle packet(av_packet_alloc());
  FormatHandle format;
  const int opened = avio && packet ? open_input(format, avio.get(), cursor) : AVERROR(ENOMEM);
  if (cursor.stopped()) return SHUNT_MEDIA_STOPPED;
  if (opened < 0) {
    failure.tell(opened);
    return SHUNT_MEDIA_DONE;
  }
  report->opened(report->context);
  if (!report_packets(*format, *packet, cursor, *report, failure)) return SHUNT_MEDIA_STOPPED;
  // Only now: fragments add to the streams as they are read.
  report->streams(report->context, format->nb_streams, digest_of_streams(*format));
  return SHUNT_MEDIA_DONE;
}

constexpr ShuntMediaModule kModule = {SHUNT_MEDIA_ABI_VERSION, &trace};

}  // namespace
}  // namespace shunt::media

extern "C" __attribute__((visibility("default"))) const ShuntMediaModule* shunt_media_module() {
  static std::once_flag silenced;
  // Its complaints about a file are in `failed`; stderr belongs to the program.
  std::call_once(silenced, [] { av_log_set_level(AV_LOG_QUIET); });
  return &shunt::media::kModule;
}
