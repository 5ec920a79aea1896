#include "shunt/files/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "shunt/io/patience.h"

namespace shunt::files {

namespace {

// Wait for a process that holds the lock only for a short check.
constexpr std::chrono::milliseconds kLookLimit{100};

Result<void> lock(const io::File& file, LockKind kind) {
  io::Patience patience(kLookLimit, nullptr, file.path());
  while (try_lock(file, kind) == LockOutcome::kHeldElsewhere) {
    if (patience.pause()) continue;
    Error error = system_error(EWOULDBLOCK, file.path(), "lock");
    error.reason = "in use by another process";
    error.hint = "try again when it has ended";
    return error;
  }
  // Locked; or the file system has no locks (some network file systems): continue without, as other
  // tools do.
  return {};
}

}  // namespace

LockOutcome try_lock(const io::File& file, LockKind kind) {
  const int how = kind == LockKind::kShared ? LOCK_SH : LOCK_EX;
  while (::flock(file.fd(), how | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    return errno == EWOULDBLOCK ? LockOutcome::kHeldElsewhere : LockOutcome::kUnsupported;
  }
  return LockOutcome::kTaken;
}

void unlock(const io::File& file) {
  ::flock(file.fd(), LOCK_UN);
}

Result<void> lock_exclusive(const io::File& file) {
  return lock(file, LockKind::kExclusive);
}

Result<void> lock_shared(const io::File& file) {
  return lock(file, LockKind::kShared);
}

namespace {

struct flock description(short type, ByteRange range) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(range.begin);
  lock.l_len = static_cast<off_t>(range.size());
  return lock;
}

}  // namespace

Result<ByteRange> try_lock_range(const io::File& file, ByteRange range) {
  while (true) {
    struct flock lock = description(F_WRLCK, range);
    if (::fcntl(file.fd(), F_OFD_SETLK, &lock) == 0) return ByteRange{range.begin, range.begin};
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EACCES) return system_error(errno, file.path(), "lock");
    lock = description(F_WRLCK, range);
    if (::fcntl(file.fd(), F_OFD_GETLK, &lock) != 0) {
      return system_error(errno, file.path(), "lock");
    }
    if (lock.l_type == F_UNLCK) continue;  // released in the meantime
    const auto begin = static_cast<std::uint64_t>(lock.l_start);
    const std::uint64_t end =
        lock.l_len == 0 ? range.end : begin + static_cast<std::uint64_t>(lock.l_len);
    return ByteRange{begin, end}.intersect(range);
  }
}

Result<void> lock_range(const io::File& file, ByteRange range, std::chrono::milliseconds limit,
                        const CancelToken* cancel) {
  io::Patience patience(limit, cancel, file.path());
  while (true) {
    SHUNT_ASSIGN(const ByteRange held, try_lock_range(file, range));
    if (held.empty()) return {};
    SHUNT_TRY(patience.pause());
  }
}

void unlock_range(const io::File& file, ByteRange range) {
  struct flock lock = description(F_UNLCK, range);
  ::fcntl(file.fd(), F_OFD_SETLK, &lock);
}

}  // namespace shunt::files
