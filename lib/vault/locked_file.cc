#include "vault/locked_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "io/lock.h"

namespace shunt::vault {
namespace {

using Clock = std::chrono::steady_clock;

Error busy(const std::string& path) {
  Error error = system_error(EWOULDBLOCK, path, "lock");
  error.reason = "another process has held the lock for long";
  error.hint = "try again when it has ended";
  return error;
}

// Tries with growing pauses: flock(2) itself cannot wait for a limited time.
bool lock_until(const io::File& file, Clock::time_point deadline) {
  auto pause = std::chrono::microseconds(20);
  while (io::try_lock(file, io::LockKind::kExclusive) == io::LockOutcome::kHeldElsewhere) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(2000));
  }
  return true;
}

}  // namespace

LockedFile::Guard::~Guard() {
  // Before the mutex, which is a member and goes last.
  if (threads_.owns_lock()) io::unlock(*file_);
}

Result<void> LockedFile::open() {
  // A descriptor that came over a fork shares its lock with the parent.
  if (file_.valid() && opened_by_ == ::getpid()) return {};
  SHUNT_ASSIGN(file_, io::File::open_or_create(path_));
  opened_by_ = ::getpid();
  return {};
}

Result<LockedFile::Guard> LockedFile::lock(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  std::unique_lock<std::timed_mutex> threads(threads_, deadline);
  if (!threads.owns_lock()) return busy(path_);
  for (int attempt = 0; attempt < 8; ++attempt) {
    SHUNT_TRY(open());
    if (!lock_until(file_, deadline)) return busy(path_);
    const Result<struct stat> status = file_.status();
    if (status && status->st_nlink > 0) return Guard(std::move(threads), file_);
    file_ = io::File();  // it was removed: others lock another one by now
  }
  return busy(path_);
}

}  // namespace shunt::vault
