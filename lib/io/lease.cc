#include "shunt/io/lease.h"

#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>

#include "shunt/io/patience.h"

namespace shunt::io {
namespace {

constexpr timespec kPause{0, 1'000'000};
// How long to wait for the holder of a lease.
constexpr std::chrono::seconds kLeaseLimit{5};

}  // namespace

Lease::Lease(const File& file, int tries) : file_(file) {
  const int flags = ::fcntl(file.fd(), F_GETFL);
  if (flags < 0) return;
  const int kind = (flags & O_ACCMODE) == O_RDONLY ? F_RDLCK : F_WRLCK;
  // When somebody opens the file, the kernel signals the holder. SIGIO, the default, would kill the
  // process; this one is ignored by default.
  ::fcntl(file.fd(), F_SETSIG, SIGURG);
  for (int left = tries; left > 0; --left) {
    held_ = ::fcntl(file.fd(), F_SETLEASE, kind) == 0;
    if (held_) return;
    refused_ = errno == EAGAIN;
    if (!refused_) return;
    if (left > 1) ::nanosleep(&kPause, nullptr);
  }
}

Lease::~Lease() {
  if (held_) ::fcntl(file_.fd(), F_SETLEASE, F_UNLCK);
}

Result<File> open_past_lease(const std::string& path, const CancelToken* cancel,
                             const std::function<Result<File>()>& open) {
  Patience patience(kLeaseLimit, cancel, path);
  for (;;) {
    Result<File> file = open();
    if (file || file.error().system_errno != EWOULDBLOCK) return file;
    SHUNT_TRY(patience.pause());
  }
}

Result<void> check_no_writer(const File& file) {
  if (!Lease(file, 1).refused()) return {};
  Error error = system_error(EBUSY, file.path(), "open for writing");
  error.reason = "another process has the file open for writing";
  error.hint = "try again when it has been closed";
  return error;
}

bool Lease::writer_waits() const {
  return held_ && ::fcntl(file_.fd(), F_GETLEASE) == F_UNLCK;
}

}  // namespace shunt::io
