// Writes a stream in order: bytes from several places, zeros, and ranges of files.
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

// What zeros become if the stream is a regular file.
enum class Zeros {
  kWritten,
  kHoles,  // skipped; finish() then sets the file's size
};

// Writes to a pipe, socket, device or regular file at its current position. Waits for a slow reader
// until `cancel` is requested. One thread.
class StreamWriter {
 public:
  // `out` and `cancel` are not owned and outlive it; `cancel` may be null. Enlarges a pipe if
  // permitted.
  StreamWriter(io::File& out, Zeros zeros, const CancelToken* cancel = nullptr);

  // Before the first byte: returns EFBIG if a regular file cannot grow by `bytes`, because of its
  // file system or RLIMIT_FSIZE. Changes nothing.
  [[nodiscard]] Result<void> check_size(std::uint64_t bytes) const;

  // Writes all of `parts` in order.
  Result<void> write(std::span<const std::span<const std::byte>> parts);
  Result<void> write_zeros(std::uint64_t count);
  // Writes all of `range`, in the kernel if possible; kCorrupt if the file ends before.
  Result<void> copy(const io::File& from, ByteRange range);

  // After the last byte: sets the size of a file with holes, and waits until the reader of a pipe
  // has taken everything. Returns EPIPE if the reader left before.
  Result<void> finish();

  // Returns EPIPE if the reader of a pipe has left. Thread-safe.
  Result<void> check_reader() const;

  // Bytes written, holes included.
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
  io::File own_;  // a pipe, opened again with O_NONBLOCK; may be empty
  bool pipe_ = false;
  bool socket_ = false;
  bool may_block_ = false;  // a pipe that could not be opened again
  bool holes_ = false;
  std::uint64_t position_ = 0;
};

}  // namespace shunt::streams
