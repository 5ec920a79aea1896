#include "io/new_file.h"

#include <cerrno>

#include "io/kernel.h"
#include "io/lock.h"
#include "io/path.h"

namespace shunt::io {

Result<NewFile> NewFile::create(const std::string& target, Counters* counters) {
  std::string temporary = companion(target, kNewFileSuffix);
  Result<File> file = File::create(temporary, counters);
  if (!file && file.error().system_errno == EEXIST) {
    // A leftover, or a run that is at it now: its lock tells.
    if (Result<File> leftover = File::open_to_change(temporary)) {
      SHUNT_TRY(lock_exclusive(*leftover));
    }
    SHUNT_TRY(remove_if_there(temporary));
    file = File::create(temporary, counters);
  }
  if (!file) return file.error();
  SHUNT_TRY(lock_exclusive(*file));
  return NewFile(std::move(*file), std::move(temporary), target);
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
