// Copies from a file into a stream, in the kernel if possible.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::streams {

// Appends ranges of files to an open stream: by splice(2) into a pipe, so that the file's pages are
// not copied; by sendfile(2) into a socket; by copy_file_range(2) into a regular file; and through
// a buffer if the kernel refuses. One thread.
class StreamCopy {
 public:
  // `out` and `cancel` are not owned and outlive it. Enlarges a pipe if permitted. `cancel` ends
  // waits for a slow reader; may be null.
  explicit StreamCopy(io::File& out, const CancelToken* cancel = nullptr);

  // Appends all of `range`; kCorrupt if the file ends before. In any case removes what was written
  // from the front of `range`.
  Result<void> append(const io::File& from, ByteRange& range);

 private:
  enum class Way { kSplice, kSendfile, kCopyRange, kBuffer };

  // Returns the number of bytes moved; nullopt if the kernel refuses this way.
  Result<std::optional<std::size_t>> step(const io::File& from, ByteRange range);
  Result<void> through_buffer(const io::File& from, ByteRange& range);
  Result<void> wait_for_room() const;

  io::File& out_;
  const CancelToken* cancel_;
  Way way_ = Way::kBuffer;
  std::vector<std::byte> buffer_;  // for kBuffer; allocated when needed
};

}  // namespace shunt::streams
