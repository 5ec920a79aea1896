#include "shunt/faststart/target.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "shunt/files/access.h"
#include "shunt/files/attributes.h"
#include "shunt/files/lock.h"
#include "shunt/files/new_file.h"
#include "shunt/files/path.h"
#include "shunt/in_place/journal.h"
#include "shunt/io/lease.h"
#include "shunt/io/source.h"

namespace shunt::faststart {
namespace {

// How often in a row another file may have taken its place.
constexpr int kMostReplaced = 100;

}  // namespace

Result<void> Target::find(const std::string& path, io::Counters* counters,
                          const CancelToken* cancel) {
  given_ = path;
  // A pipe, as behind /dev/stdin, has no path to resolve.
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) SHUNT_TRY(io::check_regular(found, path));
  SHUNT_ASSIGN(path_, files::resolve(path));
  SHUNT_ASSIGN(files::Directory directory, files::Directory::holding(path_));
  directory_.emplace(std::move(directory));
  name_ = files::file_name(path_);
  SHUNT_ASSIGN(file_, open(O_RDONLY, "open", counters, cancel));
  SHUNT_TRY(note_status());
  accessed_ = status_.st_atim;
  return io::check_regular(status_, given_);
}

Result<io::File> Target::open(int flags, const char* operation, io::Counters* counters,
                              const CancelToken* cancel) const {
  return io::open_past_lease(path_, cancel,
                             [&] { return directory_->open(name_, flags, operation, counters); });
}

Result<void> Target::take(const CancelToken* cancel) {
  for (int tries = 0; tries < kMostReplaced; ++tries) {
    SHUNT_TRY(io::check_no_writer(file_));
    const struct stat asked = status_;
    Result<io::File> changing = open(O_RDWR, "open for writing", file_.counters(), cancel);
    if (!changing) return files::explain_refusal(changing.error(), file_.fd());
    file_ = std::move(*changing);
    SHUNT_TRY(note_status());
    // The check for writers was about this file.
    if (status_.st_ino == asked.st_ino && status_.st_dev == asked.st_dev) {
      SHUNT_TRY(files::lock_exclusive(file_));
      // The previous holder of the lock may have replaced the file.
      if (directory_->leads_to(name_, file_)) return note_status();
    }
    io::Counters* const counters = file_.counters();
    SHUNT_TRY(find(given_, counters, cancel));
  }
  Error error = system_error(EBUSY, given_, "open for writing");
  error.reason = "it keeps being replaced";
  return error;
}

Result<void> Target::could_take() const {
  SHUNT_TRY(io::check_no_writer(file_));
  SHUNT_TRY(files::check_may_change(*directory_, name_, file_));
  SHUNT_TRY(files::lock_exclusive(file_));
  files::unlock(file_);
  return files::check_may_make_beside(*directory_, path_);
}

Result<void> Target::note_status() {
  SHUNT_ASSIGN(status_, file_.status());
  return {};
}

bool Target::is_as_noted() const {
  const auto named = directory_->look(name_);
  return named && *named && files::same_state(**named, status_);
}

bool Target::is_free() const {
  if (files::try_lock(file_, files::LockKind::kExclusive) == files::LockOutcome::kHeldElsewhere) {
    return false;
  }
  files::unlock(file_);
  return true;
}

void Target::sweep() const {
  (void)files::NewFile::sweep(*directory_, name_);
  if (files::try_lock(file_, files::LockKind::kExclusive) == files::LockOutcome::kHeldElsewhere)
    return;
  in_place::Journal::sweep(*directory_, name_);
  files::unlock(file_);
}

Result<bool> Target::has_journal() const {
  SHUNT_ASSIGN(const auto name, in_place::Journal::pending(*directory_, name_, file_));
  return name.has_value();
}

}  // namespace shunt::faststart
