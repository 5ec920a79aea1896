#include "io/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "io/fd.h"
#include "io/kernel.h"

namespace shunt::io {

namespace {

Result<void> lock(const File& file, LockKind kind) {
  if (try_lock(file, kind) != LockOutcome::kHeldElsewhere) {
    // Taken; or no locks here (some network file systems): go on without, as other tools do.
    return {};
  }
  Error error = system_error(EWOULDBLOCK, file.path(), "lock");
  error.reason = "in use by another process";
  error.hint = "try again when it has ended";
  return error;
}

}  // namespace

LockOutcome try_lock(const File& file, LockKind kind) {
  const int how = kind == LockKind::kShared ? LOCK_SH : LOCK_EX;
  while (::flock(file.fd(), how | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    return errno == EWOULDBLOCK ? LockOutcome::kHeldElsewhere : LockOutcome::kUnsupported;
  }
  return LockOutcome::kTaken;
}

void unlock(const File& file) {
  ::flock(file.fd(), LOCK_UN);
}

Result<void> lock_exclusive(const File& file) {
  return lock(file, LockKind::kExclusive);
}

Result<void> lock_shared(const File& file) {
  return lock(file, LockKind::kShared);
}

Result<void> check_no_writer(const std::string& path) {
  const Fd fd(kernel().open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0));
  if (!fd.valid()) return system_error(errno, path, "open");
  if (::fcntl(fd.get(), F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(fd.get(), F_SETLEASE, F_UNLCK);
    return {};
  }
  if (errno != EAGAIN) return {};
  Error error = system_error(EBUSY, path, "open for writing");
  error.reason = "another process has the file open for writing";
  error.hint = "try again when it has been closed";
  return error;
}

}  // namespace shunt::io
