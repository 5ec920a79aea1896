// Removes leftovers of dead processes: files under hidden names, and pins of removed items.
#include <sys/stat.h>

#include <cerrno>
#include <ctime>

#include "shunt/base/log.h"
#include "shunt/files/lock.h"
#include "shunt/files/path.h"
#include "shunt/vault/locked_file.h"
#include "shunt/vault/scan.h"
#include "shunt/vault/timing.h"
#include "shunt/vault/vault.h"

namespace shunt::vault {
namespace {

constexpr std::int64_t kSweepPeriod = 600;             // seconds
constexpr std::int64_t kAgeWithoutLocks = 24 * 3'600;  // seconds

// If the clock was set back, the time counts as passed.
bool is_older(const struct stat& status, std::int64_t seconds) {
  const std::int64_t age = static_cast<std::int64_t>(::time(nullptr)) - status.st_mtim.tv_sec;
  return age >= seconds || age < -seconds;
}

// Removes a reservation that nobody holds.
Result<void> remove_leftover(const std::string& path) {
  const Result<io::File> file = io::File::open_to_change(path);
  if (!file) {
    if (file.error().system_errno == ENOENT) return {};
    return file.error();
  }
  switch (files::try_lock(*file, files::LockKind::kExclusive)) {
    case files::LockOutcome::kHeldElsewhere:
      return {};
    case files::LockOutcome::kUnsupported: {
      // Without locks it is unknown whether its writer lives; after a day it does not.
      SHUNT_ASSIGN(const struct stat status, file->status());
      if (!is_older(status, kAgeWithoutLocks)) return {};
      break;
    }
    case files::LockOutcome::kTaken:
      break;
  }
  // Its owner locks it after creating it and then checks that the name still exists; hidden names
  // are never reused, so this name cannot stand for another file.
  if (names_file(path, *file)) SHUNT_TRY(files::remove_if_there(path));
  return {};
}

}  // namespace

bool sweep_is_due(const std::string& directory) {
  struct stat status {};
  if (::lstat((directory + "/.lock").c_str(), &status) != 0) return true;
  return is_older(status, kSweepPeriod);
}

Result<void> Vault::sweep_locked() {
  SHUNT_ASSIGN(const std::vector<std::string> names, names_in(directory_));
  for (const std::string& name : names) {
    if (!is_hidden_name(name)) continue;
    const Result<void> removed = remove_leftover(path_of(name));
    if (!removed) log::debug("{}", removed.error().describe());
  }
  SHUNT_ASSIGN(const std::vector<std::string> pins, names_in(pins_directory(directory_)));
  for (const std::string& name : pins) {
    struct stat status {};
    if (!is_item_name(name) || ::lstat(path_of(name).c_str(), &status) == 0) continue;
    if (errno == ENOENT) (void)files::remove_if_there(pin_path(directory_, name));
  }
  return {};
}

Result<void> Vault::sweep() {
  Result<LockedFile::Guard> guard = removal_->lock(kAdmitPatience);
  if (!guard) {
    // Another process is already sweeping.
    if (guard.error().code == ErrorCode::kBusy) return {};
    return guard.error();
  }
  (void)guard->file().touch();
  return sweep_locked();
}

}  // namespace shunt::vault
