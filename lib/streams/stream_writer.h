// The end of a stream: bytes gathered from several places, zeros, and ranges of files, in order.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/streams/stream_copy.h"

namespace shunt::streams {

// What zeros become where the stream is a regular file.
enum class Zeros {
  kWritten,
  kHoles,  // left out; close with finish(), which gives the file its size
};

// Writes to a pipe, a socket, a device or a regular file from its present position on. A slow
// reader is waited for, and `cancel` asked meanwhile. For one thread.
class StreamWriter {
 public:
  // `out` and `cancel` are not owned; `cancel` may be null. A pipe is made larger where that is
  // allowed.
  StreamWriter(io::File& out, Zeros zeros, const CancelToken* cancel = nullptr);

  // Before the first byte: whether a regular file can become as long as `bytes` more make it, by
  // its file system and by the limit on sizes. EFBIG: it can't. Nothing changes.
  [[nodiscard]] Result<void> check_size(std::uint64_t bytes) const;

  // All of `parts`, one after the other.
  Result<void> write(std::span<const std::span<const std::byte>> parts);
  Result<void> write_zeros(std::uint64_t count);
  // All of `range`, through the kernel where it can; a file that ends before is kCorrupt.
  Result<void> copy(const io::File& from, ByteRange range);

  // After the last byte: gives a file with holes its size, and waits until the reader of a pipe has
  // taken everything. A reader that went away before is an EPIPE error.
  Result<void> finish();

  // EPIPE once the reader of a pipe has gone. From any thread.
  Result<void> check_reader() const;

  // Bytes that went out, holes included.
  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  [[nodiscard]] int fd() const { return own_.valid() ? own_.fd() : out_.fd(); }
  Result<void> wait_for_room() const;
  void note(ssize_t put);
  [[nodiscard]] ssize_t put(std::span<const iovec> parts) const;
  Result<bool> splice_zeros(std::uint64_t& count);
  Result<void> wait_for_reader() const;

  io::File& out_;
  const CancelToken* cancel_;
  StreamCopy copy_;
  io::File own_;  // a pipe opened once more, so that a write never blocks; may be empty
  bool pipe_ = false;
  bool socket_ = false;
  bool may_block_ = false;  // a pipe that could not be opened once more
  bool holes_ = false;
  std::uint64_t position_ = 0;
};

}  // namespace shunt::streams
