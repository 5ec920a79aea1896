#include "shunt/streams/stream_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "shunt/io/kernel.h"
#include "shunt/io/source.h"
#include "shunt/text/size_text.h"

namespace shunt::streams {
namespace {

constexpr std::size_t kMostParts = 64;  // per call
constexpr std::size_t kPage = 4096;
constexpr std::size_t kBuffer = std::size_t{256} << 10;

// Returns at most `most` zeros. Never written to, so that the kernel may keep references to the
// pages.
std::span<const std::byte> zero_pages(std::uint64_t most) {
  alignas(kPage) static constexpr std::array<std::byte, kBuffer> kZeros{};
  return std::span(kZeros).first(
      static_cast<std::size_t>(std::min<std::uint64_t>(most, kZeros.size())));
}

}  // namespace

StreamWriter::StreamWriter(io::File& out, Zeros zeros, const CancelToken* cancel)
    : out_(out), cancel_(cancel), copy_(out, cancel) {
  const Result<struct stat> status = out.status();
  if (!status) return;
  // A hole over existing content would show the old bytes.
  holes_ = zeros == Zeros::kHoles && S_ISREG(status->st_mode) &&
           (::fcntl(out.fd(), F_GETFL) & O_APPEND) == 0 &&
           ::lseek(out.fd(), 0, SEEK_CUR) >= status->st_size;
  pipe_ = S_ISFIFO(status->st_mode);
  socket_ = S_ISSOCK(status->st_mode);
  if (!pipe_) return;
  // O_NONBLOCK on the shared descriptor would affect everybody who has it.
  Result<io::File> own = out.reopen(O_WRONLY, "open for writing");
  may_block_ = !own;  // another user's pipe
  if (own) own_ = std::move(*own);
}

// No call returns the largest size of a file. Seeking beyond it fails, and costs nothing.
Result<void> StreamWriter::check_size(std::uint64_t bytes) const {
  const Result<struct stat> status = out_.status();
  if (!status || !S_ISREG(status->st_mode)) return {};
  const off_t here = ::lseek(out_.fd(), 0, SEEK_CUR);
  if (here < 0) return {};
  const bool appends = (::fcntl(out_.fd(), F_GETFL) & O_APPEND) != 0;
  const auto begin = static_cast<std::uint64_t>(appends ? status->st_size : here);
  rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  (void)::getrlimit(RLIMIT_FSIZE, &limit);
  constexpr auto kMost = static_cast<std::uint64_t>(INT64_MAX);
  bool fits = begin <= kMost && bytes <= kMost - begin && begin + bytes <= limit.rlim_cur;
  if (fits && ::lseek(out_.fd(), static_cast<off_t>(begin + bytes), SEEK_SET) < 0) fits = false;
  if (::lseek(out_.fd(), here, SEEK_SET) < 0) return system_error(errno, out_.path(), "seek");
  if (fits) return {};
  return system_error(EFBIG, out_.path(), "write")
      .with_hint(fmt::format("it would be {} long: name another folder, or raise the limit on the "
                             "size of files",
                             format_size(begin + bytes)));
}

// A signal alone would not end a call that waits for a reader.
Result<void> StreamWriter::wait_for_room() const {
  return io::wait_until_ready(fd(), POLLOUT, cancel_);
}

void StreamWriter::note(ssize_t put) {
  position_ += static_cast<std::uint64_t>(put);
  if (out_.counters() != nullptr) {
    out_.counters()->bytes_written += static_cast<std::uint64_t>(put);
  }
}

// Writes what goes without blocking. A signal alone would not end a call that waits.
ssize_t StreamWriter::put(std::span<const iovec> parts) const {
  if (socket_) return io::kernel().send(fd(), parts.data(), static_cast<int>(parts.size()));
  if (!may_block_) return io::kernel().writev(fd(), parts.data(), static_cast<int>(parts.size()));
  // A pipe that is ready has room for at least a page.
  pollfd ready{fd(), POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  const iovec little{parts.front().iov_base, std::min(parts.front().iov_len, kPage)};
  return io::kernel().writev(fd(), &little, 1);
}

Result<void> StreamWriter::write(std::span<const std::span<const std::byte>> parts) {
  std::size_t skip = 0;  // bytes of the first part already written
  while (!parts.empty()) {
    std::array<iovec, kMostParts> vectors;
    const std::size_t count = std::min(parts.size(), kMostParts);
    for (std::size_t i = 0; i < count; ++i) {
      const auto part = i == 0 ? parts[i].subspan(skip) : parts[i];
      vectors[i] = {const_cast<std::byte*>(part.data()), part.size()};
    }
    const ssize_t done = put(std::span(vectors).first(count));
    if (done < 0) {
      if (errno == EAGAIN || errno == EINTR) {
        SHUNT_TRY(wait_for_room());
        continue;
      }
      return system_error(errno, out_.path(), "write");
    }
    note(done);
    skip += static_cast<std::size_t>(done);
    while (!parts.empty() && skip >= parts.front().size()) {
      skip -= parts.front().size();
      parts = parts.subspan(1);
    }
  }
  return {};
}

// Gives the zero pages to a pipe. Returns false if the kernel cannot do it here.
Result<bool> StreamWriter::splice_zeros(std::uint64_t& count) {
  while (count > 0) {
    const auto part = zero_pages(count);
    const ssize_t put = io::kernel().vmsplice(fd(), part.data(), part.size());
    if (put < 0) {
      if (errno == EAGAIN || errno == EINTR) {
        SHUNT_TRY(wait_for_room());
        continue;
      }
      if (errno == EPIPE) return system_error(errno, out_.path(), "write");
      return false;
    }
    count -= static_cast<std::uint64_t>(put);
    note(put);
  }
  return true;
}

Result<void> StreamWriter::write_zeros(std::uint64_t count) {
  if (holes_) {
    if (::lseek(out_.fd(), static_cast<off_t>(count), SEEK_CUR) < 0) {
      return system_error(errno, out_.path(), "seek");
    }
    position_ += count;
    return {};
  }
  if (pipe_) {
    SHUNT_ASSIGN(const bool all, splice_zeros(count));
    if (all) return {};
  }
  while (count > 0) {
    SHUNT_TRY(check_cancel(cancel_));
    // Writes the same pages many times: for terabytes of zeros the number of calls matters.
    std::array<std::span<const std::byte>, kMostParts> parts;
    std::size_t used = 0;
    while (used < parts.size() && count > 0) {
      parts[used] = zero_pages(count);
      count -= parts[used++].size();
    }
    SHUNT_TRY(write(std::span(parts).first(used)));
  }
  return {};
}

Result<void> StreamWriter::copy(const io::File& from, ByteRange range) {
  if (!socket_ && !may_block_) {
    const std::uint64_t begin = range.begin;
    const Result<void> copied = copy_.append(from, range);
    position_ += range.begin - begin;
    return copied;
  }
  // sendfile(2) would block.
  std::vector<std::byte> buffer(kBuffer);
  return io::read_in_pieces(
      io::BorrowedFileSource(from, range.end), range, buffer,
      [this](std::span<const std::byte> piece) { return write(std::span(&piece, 1)); });
}

Result<void> StreamWriter::wait_for_reader() const {
  auto pause = std::chrono::milliseconds(1);
  while (true) {
    int waiting = 0;
    if (::ioctl(fd(), FIONREAD, &waiting) != 0 || waiting == 0) return {};
    pollfd state{fd(), 0, 0};
    (void)::poll(&state, 1, 0);
    if ((state.revents & POLLERR) != 0) {
      // The reader may have taken the last bytes between the two checks.
      if (::ioctl(fd(), FIONREAD, &waiting) != 0 || waiting == 0) return {};
      Error error = system_error(EPIPE, out_.path(), "write");
      error.reason = fmt::format("the reader has closed the pipe with {} bytes unread", waiting);
      return error;
    }
    SHUNT_TRY(check_cancel(cancel_));
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(20));
  }
}

Result<void> StreamWriter::check_reader() const {
  if (!pipe_) return {};
  pollfd state{fd(), 0, 0};
  if (::poll(&state, 1, 0) < 1 || (state.revents & POLLERR) == 0) return {};
  return system_error(EPIPE, out_.path(), "write");
}

Result<void> StreamWriter::finish() {
  if (holes_) {
    const off_t end = ::lseek(out_.fd(), 0, SEEK_CUR);
    if (end < 0) return system_error(errno, out_.path(), "seek");
    SHUNT_TRY(out_.truncate(static_cast<std::uint64_t>(end)));
  }
  if (pipe_) SHUNT_TRY(wait_for_reader());
  return {};
}

}  // namespace shunt::streams
