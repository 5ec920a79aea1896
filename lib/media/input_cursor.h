// Reads an input of the module's callers as libavformat wants to read. For the module alone.
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

// A read position over the callbacks of an input, which it does not own.
class InputCursor {
 public:
  explicit InputCursor(const ShuntMediaInput& input) : input_(input) {}

  // Whether the work is to end at once. libavformat hears AVERROR_EXIT meanwhile, which it may take
  // for damage and go on, so that callers must ask here.
  [[nodiscard]] bool stopped();

  // Lets the input seem to end once `bytes` more have been read; without a call it never does.
  void allow(std::uint64_t bytes) { allowed_ = bytes; }

  // The three below are for AVIOContext and AVIOInterruptCB; `opaque` is an InputCursor.
  static int read(void* opaque, std::uint8_t* into, int size);
  // Past the end is allowed, as with lseek: a refused seek leaves libavformat where it was, and it
  // would take the payload of a truncated box for boxes.
  static std::int64_t seek(void* opaque, std::int64_t offset, int whence);
  static int interrupted(void* opaque);

 private:
  const ShuntMediaInput& input_;
  std::uint64_t position_ = 0;
  std::uint64_t allowed_ = std::numeric_limits<std::uint64_t>::max();
  bool stopped_ = false;
};

// Null when memory is short. `cursor` outlives it.
[[nodiscard]] AvioHandle make_avio(InputCursor& cursor);

// What is asked of libavformat besides the bytes.
struct OpenOptions {
  const AVInputFormat* demuxer = nullptr;  // null: probed
  const char* whitelist = nullptr;         // names of demuxers, with commas; null: any
  int flags = 0;                           // AVFMT_FLAG_…, added to the default ones
};

// Opens `format`, which is empty and is so again on failure; returns 0 or an AVERROR. Nothing but
// the input is ever read, whatever it names.
[[nodiscard]] int open_input(FormatHandle& format, AVIOContext* avio, InputCursor& cursor,
                             const OpenOptions& options);

}  // namespace shunt::media
