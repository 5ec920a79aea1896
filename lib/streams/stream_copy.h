// From a file into a stream, through the kernel where it can.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::streams {

// Appends ranges of files to one open stream: by splice(2) into a pipe, so that the file's own
// pages enter it; by sendfile(2) into a socket; by copy_file_range(2) into a regular file; and
// through a buffer wherever the kernel declines. For one thread.
class StreamCopy {
 public:
  // `out` is not owned. A pipe is made larger where that is allowed.
  // `cancel` is asked while a slow reader is waited for; may be null.
  explicit StreamCopy(io::File& out, const CancelToken* cancel = nullptr);

  // All of `range`, or an error; a file that ends before is kCorrupt. What has gone out is taken
  // off the front of `range` in either case.
  Result<void> append(const io::File& from, ByteRange& range);

 private:
  enum class Way { kSplice, kSendfile, kCopyRange, kBuffer };

  // How much was moved; nullopt when the kernel declines this way.
  Result<std::optional<std::size_t>> step(const io::File& from, ByteRange range);
  Result<void> through_buffer(const io::File& from, ByteRange& range);
  Result<void> wait_for_room() const;

  io::File& out_;
  const CancelToken* cancel_;
  Way way_ = Way::kBuffer;
  std::vector<std::byte> buffer_;  // of kBuffer, made when it is needed
};

}  // namespace shunt::streams
