#include "shunt/media/input_cursor.h"

extern "C" {
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <limits>

namespace shunt::media {
namespace {

// Enough for the interleaving of neighbouring tracks, so that switching between them does not read
// the file again.
constexpr int kBufferSize = 128 * 1024;

constexpr std::uint64_t kMaxOffset =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

// A file may name other files (data references, aliases); only the input is ever read.
int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

}  // namespace

bool InputCursor::stopped() {
  if (!stopped_) stopped_ = input_.cancelled(input_.context) != 0;
  return stopped_;
}

int InputCursor::read(void* opaque, std::uint8_t* into, int size) {
  auto& self = *static_cast<InputCursor*>(opaque);
  if (self.stopped()) return AVERROR_EXIT;
  if (size <= 0) return AVERROR(EINVAL);
  if (self.position_ >= self.input_.size) return AVERROR_EOF;
  const std::uint64_t left = std::min(self.input_.size - self.position_, self.allowed_);
  if (left == 0) return AVERROR_EOF;
  const auto amount =
      static_cast<std::size_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(size), left));
  const std::int64_t got = self.input_.read_at(self.input_.context, self.position_, into, amount);
  if (got < 0) {
    self.stopped_ = true;
    return AVERROR_EXIT;
  }
  if (got == 0) return AVERROR_EOF;
  self.position_ += static_cast<std::uint64_t>(got);
  self.allowed_ -= static_cast<std::uint64_t>(got);
  return static_cast<int>(got);
}

std::int64_t InputCursor::seek(void* opaque, std::int64_t offset, int whence) {
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

int InputCursor::interrupted(void* opaque) {
  return static_cast<InputCursor*>(opaque)->stopped() ? 1 : 0;
}

AvioHandle make_avio(InputCursor& cursor) {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferSize));
  if (buffer == nullptr) return nullptr;
  AVIOContext* avio = avio_alloc_context(buffer, kBufferSize, 0, &cursor, &InputCursor::read,
                                         nullptr, &InputCursor::seek);
  if (avio == nullptr) av_free(buffer);
  return AvioHandle(avio);
}

int open_input(FormatHandle& format, AVIOContext* avio, InputCursor& cursor,
               const OpenOptions& options) {
  format.reset(avformat_alloc_context());
  if (!format) return AVERROR(ENOMEM);
  format->pb = avio;
  format->io_open = &refuse_to_open;
  format->interrupt_callback = {&InputCursor::interrupted, &cursor};
  format->flags |= options.flags;

  AVDictionary* settings = nullptr;
  if (options.whitelist != nullptr)
    av_dict_set(&settings, "format_whitelist", options.whitelist, 0);
  // Options of the mov demuxer; others do not know them.
  av_dict_set(&settings, "enable_drefs", "0", 0);
  av_dict_set(&settings, "use_absolute_path", "0", 0);
  // Otherwise samples of chapter tracks would become chapters and not be delivered.
  av_dict_set(&settings, "ignore_chapters", "1", 0);
  AVFormatContext* opening = format.release();  // freed and set to null by a failure
  const int code = avformat_open_input(&opening, "", options.demuxer, &settings);
  format.reset(opening);
  av_dict_free(&settings);
  return code;
}

}  // namespace shunt::media
