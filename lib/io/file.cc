#include "shunt/io/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>

#include "shunt/base/waiting.h"
#include "shunt/io/kernel.h"

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80  // Linux 6.14
#endif

namespace shunt::io {
namespace {

// Linux moves at most 0x7ffff000 bytes in a call; stay below it.
constexpr std::size_t kMaxCall = std::size_t{1} << 30;

void count(std::atomic<std::uint64_t> Counters::*member, Counters* counters, std::uint64_t bytes) {
  if (counters != nullptr) (counters->*member).fetch_add(bytes, std::memory_order_relaxed);
}

bool refuses_flag(int number) {
  return number == EOPNOTSUPP || number == EINVAL;
}

}  // namespace

File::File(Fd fd, std::string path, Counters* counters)
    : fd_(std::move(fd)), path_(std::move(path)), counters_(counters) {}

File File::adopt(Fd fd, std::string name, Counters* counters) {
  return File(std::move(fd), std::move(name), counters);
}

Error File::failure(const char* operation) const {
  return system_error(errno, path_, operation);
}

static Result<Fd> open_fd(const std::string& path, int flags, const char* operation) {
  for (;;) {
    const int number = kernel().open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (number >= 0) return Fd(number);
    if (errno != EINTR) return system_error(errno, path, operation);
  }
}

Result<File> File::open_to_read(const std::string& path, Counters* counters) {
  // O_NONBLOCK: opening a FIFO without a writer must not block; it has no effect on regular files.
  SHUNT_ASSIGN(Fd fd, open_fd(path, O_RDONLY | O_NONBLOCK, "open"));
  return File(std::move(fd), path, counters);
}

Result<File> File::open_to_change(const std::string& path, Counters* counters) {
  SHUNT_ASSIGN(Fd fd, open_fd(path, O_RDWR | O_NONBLOCK, "open for writing"));
  return File(std::move(fd), path, counters);
}

Result<File> File::reopen(int flags, const char* operation) const {
  Result<Fd> again =
      open_fd("/proc/self/fd/" + std::to_string(fd()), flags | O_NONBLOCK, operation);
  if (again) return File(std::move(*again), path_, counters_);
  Error error = again.error();
  error.path = path_;
  return error;
}

Result<File> File::create(const std::string& path, Counters* counters) {
  SHUNT_ASSIGN(Fd fd, open_fd(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, "create"));
  return File(std::move(fd), path, counters);
}

Result<File> File::open_or_create(const std::string& path, Counters* counters) {
  SHUNT_ASSIGN(Fd fd, open_fd(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, "open or create"));
  return File(std::move(fd), path, counters);
}

Result<File> File::open_to_write_stream(const std::string& path, const CancelToken& cancel) {
  // open(2) must not block: a signal alone would not end it.
  constexpr timespec kAskCancel{0, 50'000'000};
  std::optional<Waiting> waiting;
  for (;;) {
    Result<Fd> fd = open_fd(path, O_WRONLY | O_NONBLOCK, "open for writing");
    if (fd) {
      ::fcntl(fd->get(), F_SETFL, ::fcntl(fd->get(), F_GETFL) & ~O_NONBLOCK);
      return File(std::move(*fd), path, nullptr);
    }
    struct stat status {};
    const bool is_fifo = ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
    // Opening a socket gives it too.
    if (fd.error().system_errno != ENXIO || !is_fifo) return std::move(fd).error();
    SHUNT_TRY(cancel.check());
    if (!waiting) waiting.emplace("waiting for a reader of " + path);
    ::nanosleep(&kAskCancel, nullptr);
  }
}

Result<File> File::create_unnamed(const std::string& directory, Counters* counters) {
  constexpr const char* kOperation = "create a temporary file";
  const std::string name = directory + "/(temporary)";
  Result<Fd> fd = open_fd(directory, O_RDWR | O_TMPFILE, kOperation);
  if (fd) return File(std::move(*fd), name, counters);
  const int number = fd.error().system_errno;
  if (number != EOPNOTSUPP && number != EISDIR && number != EINVAL) return fd.error();
  // The file system has no O_TMPFILE: uses a name for a moment.
  std::string named = directory + "/shunt-XXXXXX";
  Fd named_fd(kernel().make_temporary_file(named.data(), O_CLOEXEC));
  if (!named_fd.valid()) return system_error(errno, directory, kOperation);
  kernel().unlink(named.c_str());
  return File(std::move(named_fd), name, counters);
}

Result<struct stat> File::status() const {
  struct stat status {};
  if (::fstat(fd(), &status) != 0) return failure("stat");
  return status;
}

std::int64_t File::born() const {
  struct statx status {};
  if (::statx(fd(), "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0) return 0;
  if ((status.stx_mask & STATX_BTIME) == 0) return 0;
  return status.stx_btime.tv_sec * 1'000'000'000 + status.stx_btime.tv_nsec;
}

Result<std::uint64_t> File::size() const {
  SHUNT_ASSIGN(const struct stat status, this->status());
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::size_t> File::read_at(std::uint64_t offset, std::span<std::byte> into,
                                  Caching caching) const {
  int flags = caching == Caching::kDrop ? RWF_DONTCACHE : 0;
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got =
        kernel().pread(fd(), into.data() + done, std::min(into.size() - done, kMaxCall),
                       static_cast<off_t>(offset + done), flags);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (flags != 0 && refuses_flag(errno)) {
        flags = 0;
        continue;
      }
      return failure("read");
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  count(&Counters::bytes_read, counters_, done);
  return done;
}

Result<std::size_t> File::read_some(std::span<std::byte> into) const {
  for (;;) {
    if (cancel_ != nullptr) SHUNT_TRY(wait_until_ready(fd(), POLLIN, cancel_));
    const ssize_t got = kernel().read(fd(), into.data(), std::min(into.size(), kMaxCall));
    if (got >= 0) {
      count(&Counters::bytes_read, counters_, static_cast<std::uint64_t>(got));
      return static_cast<std::size_t>(got);
    }
    if (errno != EINTR) return failure("read");
  }
}

Result<std::size_t> File::read_next(std::span<std::byte> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    SHUNT_ASSIGN(const std::size_t got, read_some(into.subspan(done)));
    if (got == 0) break;
    done += got;
  }
  return done;
}

Result<void> File::write_at(std::uint64_t offset, std::span<const std::byte> data,
                            Caching caching) {
  int flags = caching == Caching::kDrop ? RWF_DONTCACHE : 0;
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t put =
        kernel().pwrite(fd(), data.data() + done, std::min(data.size() - done, kMaxCall),
                        static_cast<off_t>(offset + done), flags);
    if (put < 0) {
      if (errno == EINTR) continue;
      if (flags != 0 && refuses_flag(errno)) {
        flags = 0;
        continue;
      }
      return failure("write");
    }
    done += static_cast<std::size_t>(put);
    count(&Counters::bytes_written, counters_, static_cast<std::uint64_t>(put));
  }
  return {};
}

Result<void> File::append(std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t put =
        kernel().pwrite(fd(), data.data(), std::min(data.size(), kMaxCall), 0, RWF_APPEND);
    if (put < 0) {
      if (errno == EINTR) continue;
      Error error = failure("append");
      if (refuses_flag(errno)) error.code = ErrorCode::kUnsuitable;
      return error;
    }
    data = data.subspan(static_cast<std::size_t>(put));
    count(&Counters::bytes_written, counters_, static_cast<std::uint64_t>(put));
  }
  return {};
}

Result<void> File::write_next(std::span<const std::byte> data) {
  std::size_t done = 0;
  while (done < data.size()) {
    if (cancel_ != nullptr) SHUNT_TRY(wait_until_ready(fd(), POLLOUT, cancel_));
    const ssize_t put =
        kernel().write(fd(), data.data() + done, std::min(data.size() - done, kMaxCall));
    if (put < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {  // somebody has made the stream non-blocking
        SHUNT_TRY(wait_until_ready(fd(), POLLOUT, cancel_));
        continue;
      }
      return failure("write");
    }
    done += static_cast<std::size_t>(put);
    count(&Counters::bytes_written, counters_, static_cast<std::uint64_t>(put));
  }
  return {};
}

Result<void> File::truncate(std::uint64_t size) {
  while (kernel().ftruncate(fd(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return failure("truncate");
  }
  return {};
}

// A failed sync is final: the kernel may have dropped the dirty pages, and a second call would
// report success for lost bytes. It is never repeated.
Result<void> File::sync() {
  if (kernel().fsync(fd()) != 0) return failure("sync");
  return {};
}

Result<void> File::sync_data() {
  if (kernel().fdatasync(fd()) != 0) return failure("sync");
  return {};
}

Result<void> File::set_modified(const struct timespec& time) {
  const struct timespec times[2] = {{0, UTIME_OMIT}, time};
  if (kernel().futimens(fd(), times) == 0) return {};
  return failure("set the time of modification");
}

Result<void> File::touch() {
  const struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  if (kernel().futimens(fd(), now) != 0) return failure("set times");
  return {};
}

Result<void> File::close() {
  if (!fd_.valid()) return {};
  // Linux closes the descriptor even if close is interrupted.
  if (kernel().close(fd_.release()) != 0 && errno != EINTR) return failure("close");
  return {};
}

namespace {

Result<void> call_fallocate(const File& file, int mode, ByteRange range, const char* operation) {
  const bool moves_extents = (mode & (FALLOC_FL_INSERT_RANGE | FALLOC_FL_COLLAPSE_RANGE)) != 0;
  while (kernel().fallocate(file.fd(), mode, static_cast<off_t>(range.begin),
                            static_cast<off_t>(range.size())) != 0) {
    // After an interrupted move of extents it is unknown whether it was done; it must not be
    // repeated.
    if (errno != EINTR || moves_extents) return system_error(errno, file.path(), operation);
  }
  return {};
}

}  // namespace

Result<void> File::allocate(ByteRange range) {
  return call_fallocate(*this, 0, range, "reserve space");
}

Result<void> File::insert_range(std::uint64_t at, std::uint64_t size) {
  Result<void> inserted =
      call_fallocate(*this, FALLOC_FL_INSERT_RANGE, ByteRange::of(at, size), "insert a range");
  if (!inserted && inserted.error().system_errno == EINVAL) {
    inserted.error().code = ErrorCode::kUnsuitable;
  }
  return inserted;
}

Result<void> File::collapse_range(std::uint64_t at, std::uint64_t size) {
  return call_fallocate(*this, FALLOC_FL_COLLAPSE_RANGE, ByteRange::of(at, size),
                        "collapse a range");
}

Result<void> File::punch_hole(ByteRange range) {
  return call_fallocate(*this, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, range, "punch a hole");
}

Result<void> File::clone_from(const File& from, ByteRange range, std::uint64_t to) {
  while (kernel().clone_range(from.fd(), range.begin, range.size(), fd(), to) != 0) {
    if (errno == EINTR) continue;
    Error error = failure("share extents");
    // Different file systems say in different ways that they cannot share.
    if (errno == EINVAL || errno == ENOTTY || errno == EBADF || errno == EPERM) {
      error.code = ErrorCode::kUnsuitable;
    }
    return error;
  }
  return {};
}

Result<std::uint64_t> File::copy_from(const File& from, ByteRange range, std::uint64_t to) {
  std::uint64_t done = 0;
  while (done < range.size()) {
    off_t from_offset = static_cast<off_t>(range.begin + done);
    off_t to_offset = static_cast<off_t>(to + done);
    const ssize_t copied = kernel().copy_file_range(
        from.fd(), &from_offset, fd(), &to_offset,
        static_cast<std::size_t>(std::min<std::uint64_t>(range.size() - done, kMaxCall)));
    if (copied < 0) {
      if (errno == EINTR) continue;
      Error error = failure("copy");
      if (errno == EINVAL) error.code = ErrorCode::kUnsuitable;
      return error;
    }
    if (copied == 0) break;
    done += static_cast<std::uint64_t>(copied);
    count(&Counters::bytes_read, from.counters_, static_cast<std::uint64_t>(copied));
    count(&Counters::bytes_written, counters_, static_cast<std::uint64_t>(copied));
  }
  return done;
}

Result<ByteRange> File::next_data(std::uint64_t offset) const {
  SHUNT_ASSIGN(const std::uint64_t end, size());
  if (offset >= end) return ByteRange{offset, offset};
  const off_t data = ::lseek(fd(), static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) {
    if (errno == ENXIO) return ByteRange{end, end};
    if (errno == EINVAL) return ByteRange{offset, end};
    return failure("find data");
  }
  const off_t hole = ::lseek(fd(), data, SEEK_HOLE);
  if (hole < 0) return failure("find data");
  return ByteRange{static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole)};
}

bool supports_uncached(const File& file) {
  std::byte one;
  return kernel().pread(file.fd(), &one, 1, 0, RWF_DONTCACHE) >= 0;
}

}  // namespace shunt::io
