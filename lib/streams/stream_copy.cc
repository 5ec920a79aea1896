#include "shunt/streams/stream_copy.h"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "shunt/io/fd.h"
#include "shunt/io/kernel.h"
#include "shunt/io/source.h"

namespace shunt::streams {
namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 20;
constexpr std::size_t kBufferSize = std::size_t{256} << 10;

}  // namespace

StreamCopy::StreamCopy(io::File& out, const CancelToken* cancel) : out_(out), cancel_(cancel) {
  const Result<struct stat> status = out.status();
  if (!status) return;
  if (S_ISFIFO(status->st_mode)) {
    way_ = Way::kSplice;
    io::enlarge_pipe(out.fd());
  } else if (S_ISSOCK(status->st_mode) || S_ISCHR(status->st_mode)) {
    way_ = Way::kSendfile;
  } else if (S_ISREG(status->st_mode)) {
    way_ = Way::kCopyRange;
  }
}

// A signal alone would not end a call that waits for a reader.
Result<void> StreamCopy::wait_for_room() const {
  return io::wait_until_ready(out_.fd(), POLLOUT, cancel_);
}

Result<std::optional<std::size_t>> StreamCopy::step(const io::File& from, ByteRange range) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(range.size(), kMostAtOnce));
  while (true) {
    SHUNT_TRY(wait_for_room());
    auto at = static_cast<off_t>(range.begin);
    const ssize_t moved =
        way_ == Way::kSplice ? io::kernel().splice(from.fd(), &at, out_.fd(), size)
        : way_ == Way::kSendfile
            ? io::kernel().sendfile(out_.fd(), from.fd(), &at, size)
            : io::kernel().copy_file_range(from.fd(), &at, out_.fd(), nullptr, size);
    if (moved >= 0) return std::optional<std::size_t>(static_cast<std::size_t>(moved));
    switch (errno) {
      case EINTR:
      case EAGAIN:
        continue;
      // Another file system, a stream opened with O_APPEND, or a device that does not support it.
      case EINVAL:
      case EXDEV:
      case EBADF:
      case ENOSYS:
      case EOPNOTSUPP:
      case ETXTBSY:
      case EPERM:
        return std::optional<std::size_t>();
      default:
        return system_error(errno, out_.path(), "write");
    }
  }
}

Result<void> StreamCopy::through_buffer(const io::File& from, ByteRange& range) {
  buffer_.resize(kBufferSize);
  return io::read_in_pieces(io::BorrowedFileSource(from, range.end), range, buffer_,
                            [&](std::span<const std::byte> piece) -> Result<void> {
                              SHUNT_TRY(wait_for_room());
                              SHUNT_TRY(out_.write_next(piece));
                              range.begin += piece.size();
                              return {};
                            });
}

Result<void> StreamCopy::append(const io::File& from, ByteRange& range) {
  while (!range.empty()) {
    if (way_ == Way::kBuffer) return through_buffer(from, range);
    SHUNT_ASSIGN(const std::optional<std::size_t> moved, step(from, range));
    if (!moved) {
      way_ = Way::kBuffer;
      continue;
    }
    if (*moved == 0) return corrupt("the file ends too early", range.begin);
    range.begin += *moved;
    if (from.counters() != nullptr) from.counters()->bytes_read += *moved;
    if (out_.counters() != nullptr) out_.counters()->bytes_written += *moved;
  }
  return {};
}

}  // namespace shunt::streams
