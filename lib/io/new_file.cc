#include "io/new_file.h"

#include <sys/stat.h>

#include <cerrno>

#include "io/kernel.h"
#include "io/lock.h"
#include "io/path.h"

namespace shunt::io {

namespace {

bool is_named(const File& file, const std::string& path) {
  struct stat named {};
  const Result<struct stat> own = file.status();
  return own && ::stat(path.c_str(), &named) == 0 && named.st_ino == own->st_ino &&
         named.st_dev == own->st_dev;
}

// kBusy when another process holds it.
Result<void> remove_leftover(const std::string& temporary) {
  const Result<File> leftover = File::open_to_change(temporary);
  if (!leftover) {
    if (leftover.error().system_errno == ENOENT) return {};
    return leftover.error();
  }
  SHUNT_TRY(lock_exclusive(*leftover));
  if (is_named(*leftover, temporary)) SHUNT_TRY(remove_if_there(temporary));
  return {};
}

}  // namespace

Result<NewFile> NewFile::create(const std::string& target, Counters* counters) {
  const std::string temporary = companion(target, kNewFileSuffix);
  for (;;) {
    Result<File> file = File::create(temporary, counters);
    if (!file && file.error().system_errno == EEXIST) {
      SHUNT_TRY(remove_leftover(temporary));
      continue;
    }
    if (!file) return file.error();
    // Between creating and locking, another process may have taken it for a leftover.
    if (!lock_exclusive(*file) || !is_named(*file, temporary)) continue;
    return NewFile(std::move(*file), temporary, target);
  }
}

Result<void> NewFile::sweep(const std::string& target) {
  const Result<void> removed = remove_leftover(companion(target, kNewFileSuffix));
  if (!removed && removed.error().code == ErrorCode::kBusy) return {};
  return removed;
}

NewFile::~NewFile() {
  if (!temporary_.empty() && file_.valid()) (void)remove_if_there(temporary_);
}

Result<void> NewFile::commit(IfThere if_there) {
  // The bytes come before the name: a name that survives a power cut has whole bytes behind it.
  SHUNT_TRY(file_.sync());
  const int result = if_there == IfThere::kReplace
                         ? kernel().rename(temporary_.c_str(), target_.c_str())
                         : kernel().rename_no_replace(temporary_.c_str(), target_.c_str());
  if (result != 0) {
    Error error = system_error(errno, target_, "create");
    if (errno == EEXIST) {
      error.reason = "the file exists";
      error.hint = "--force replaces it";
    }
    return error;
  }
  temporary_.clear();
  SHUNT_TRY(file_.close());
  return sync_directory(parent_directory(target_));
}

}  // namespace shunt::io
