// Lets libavformat read the input that the module's caller passes. Only for the module.
#pragma once

extern "C" {
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
}

#include <cstdint>
#include <limits>

#include "shunt/media/av_handles.h"
#include "shunt/media/module_abi.h"

namespace shunt::media {

// A read position over the callbacks of an input. The input is not owned and outlives it.
class InputCursor {
 public:
  explicit InputCursor(const ShuntMediaInput& input) : input_(input) {}

  // Returns true if the work must end at once. libavformat then sees AVERROR_EXIT, which it may
  // take for damage and go on; so callers must ask here.
  [[nodiscard]] bool stopped();

  // Makes the input end after `bytes` more bytes; without a call it does not.
  void allow(std::uint64_t bytes) { allowed_ = bytes; }

  // Callbacks for AVIOContext and AVIOInterruptCB; `opaque` is an InputCursor.
  static int read(void* opaque, std::uint8_t* into, int size);
  // Seeking past the end is allowed, as with lseek: after a refused seek libavformat would stay
  // where it was and parse the payload of a truncated box as boxes.
  static std::int64_t seek(void* opaque, std::int64_t offset, int whence);
  static int interrupted(void* opaque);

 private:
  const ShuntMediaInput& input_;
  std::uint64_t position_ = 0;
  std::uint64_t allowed_ = std::numeric_limits<std::uint64_t>::max();
  bool stopped_ = false;
};

// Returns null if memory is exhausted. `cursor` outlives it.
[[nodiscard]] AvioHandle make_avio(InputCursor& cursor);

// Options for opening an input.
struct OpenOptions {
  const AVInputFormat* demuxer = nullptr;  // null: probed
  const char* whitelist = nullptr;         // comma-separated names of demuxers; null: any
  int flags = 0;                           // AVFMT_FLAG_…, added to the defaults
};

// Opens `format`, which is empty before, and after a failure. Returns 0 or an AVERROR. Nothing
// except the input is read, whatever it refers to.
[[nodiscard]] int open_input(FormatHandle& format, AVIOContext* avio, InputCursor& cursor,
                             const OpenOptions& options);

}  // namespace shunt::media
