#include "shunt/vault/locked_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "shunt/files/lock.h"
#include "shunt/io/patience.h"

namespace shunt::vault {
namespace {

using Clock = std::chrono::steady_clock;

// Polls with growing pauses, since flock(2) has no time-out.
Result<void> lock_patiently(const io::File& file, io::Patience& patience) {
  while (files::try_lock(file, files::LockKind::kExclusive) == files::LockOutcome::kHeldElsewhere) {
    SHUNT_TRY(patience.pause());
  }
  return {};
}

}  // namespace

LockedFile::Guard::~Guard() {
  if (owner_ == nullptr) return;
  if (locked_) files::unlock(owner_->file_);
  owner_->end_turn();
}

bool LockedFile::take_turn(Clock::time_point deadline) {
  const Lock lock(mutex_);
  const auto free = [this]() SHUNT_REQUIRES(mutex_) { return !taken_; };
  if (!turn_ended_.wait_until(mutex_, deadline, free)) return false;
  taken_ = true;
  return true;
}

void LockedFile::end_turn() {
  const Lock lock(mutex_);
  taken_ = false;
  turn_ended_.notify_one();
}

Result<void> LockedFile::open() {
  // A descriptor inherited by fork shares its lock with the parent.
  if (file_.valid() && opened_by_ == ::getpid()) return {};
  SHUNT_ASSIGN(file_, io::File::open_or_create(path_));
  opened_by_ = ::getpid();
  return {};
}

Result<LockedFile::Guard> LockedFile::lock(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  io::Patience patience(limit, cancel_, path_);
  if (!take_turn(deadline)) return patience.over();
  Guard guard(*this);
  for (int attempt = 0; attempt < 8; ++attempt) {
    SHUNT_TRY(open());
    SHUNT_TRY(lock_patiently(file_, patience));
    const Result<struct stat> status = file_.status();
    if (status && status->st_nlink > 0) {
      guard.locked_ = true;
      return guard;
    }
    file_ = io::File();  // it was removed: others lock a new one now
  }
  return patience.over();
}

}  // namespace shunt::vault
