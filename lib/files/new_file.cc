#include "shunt/files/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "shunt/files/lock.h"
#include "shunt/files/path.h"
#include "shunt/io/kernel.h"

namespace shunt::files {

namespace {

// The attribute of an unfinished file. Only a file that has it is treated as a leftover, since
// anybody may have a file of that name.
constexpr const char* kMark = "user.shunt.unfinished";

// Without extended attributes, leftovers cannot be recognised, and stay.
void mark(const io::File& file) {
  (void)io::kernel().fsetxattr(file.fd(), kMark, "", 0);
}

// A mark that stays does no harm.
void remove_mark(const io::File& file) {
  if (io::kernel().fremovexattr(file.fd(), kMark) == 0 || (errno != EACCES && errno != EPERM))
    return;
  // It needs write permission, which the owner of a read-only file has to add first.
  const Result<struct stat> status = file.status();
  if (!status || io::kernel().fchmod(file.fd(), (status->st_mode & 07777) | S_IWUSR) != 0) return;
  (void)io::kernel().fremovexattr(file.fd(), kMark);
  (void)io::kernel().fchmod(file.fd(), status->st_mode & 07777);
}

// Removes a leftover. Returns false if the name stays taken: it is somebody else's, or cannot be
// removed. Returns kBusy if another process of this user is writing it.
Result<bool> remove_leftover(const Directory& directory, const std::string& temporary) {
  const Result<io::File> leftover = directory.open(temporary, O_RDONLY, "open");
  if (!leftover) return leftover.error().system_errno == ENOENT;
  if (::fgetxattr(leftover->fd(), kMark, nullptr, 0) < 0) return false;
  SHUNT_ASSIGN(const struct stat status, leftover->status());
  if (status.st_uid == ::geteuid()) {
    SHUNT_TRY(lock_exclusive(*leftover));
  } else if (try_lock(*leftover, LockKind::kExclusive) == LockOutcome::kHeldElsewhere) {
    return false;  // no other user's lock may keep this user from the target
  }
  if (!directory.leads_to(temporary, *leftover)) return true;
  const Result<bool> removed = directory.remove_if_there(temporary);
  if (removed) return true;
  const int number = removed.error().system_errno;
  if (number == EPERM || number == EACCES) return false;
  return removed.error();
}

// Returns the error in terms of `target`, without hidden names.
Error cannot_create(const Error& cause, const std::string& target) {
  Error error = cause;
  error.path = target;
  error.operation = "create";
  const std::string directory = parent_directory(target);
  struct stat status {};
  if (error.system_errno == ENOENT && ::stat(directory.c_str(), &status) != 0) {
    error.reason = "there is no directory " + directory;
  }
  if (error.system_errno == ENOTDIR) error.reason = directory + " is not a directory";
  return error;
}

// Creates a locked and marked file `name`. If the file system can, it gets its name only
// afterwards, so that nobody finds it unmarked.
Result<io::File> create_marked(const Directory& directory, const std::string& name,
                               io::Counters* counters) {
  io::Fd fd;
  do {
    fd = io::Fd(io::kernel().open_at(directory.fd(), ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
  } while (!fd.valid() && errno == EINTR);
  if (fd.valid()) {
    io::File file = io::File::adopt(std::move(fd), directory.path_of(name), counters);
    SHUNT_TRY(lock_exclusive(file));
    mark(file);
    int linked = 0;
    do {
      linked = io::kernel().link_unnamed(file.fd(), directory.fd(), name.c_str());
    } while (linked != 0 && errno == EINTR);
    if (linked == 0) return file;
    if (errno == EEXIST) return system_error(errno, file.path(), "create");
  }
  // No O_TMPFILE, or no /proc for linkat.
  for (;;) {
    SHUNT_ASSIGN(io::File file,
                 directory.open(name, O_RDWR | O_CREAT | O_EXCL, "create", counters));
    // Between creating and locking, another process may have removed it as a leftover.
    mark(file);
    if (lock_exclusive(file) && directory.leads_to(name, file)) return file;
  }
}

}  // namespace

Result<Directory> NewFile::place_of(const std::string& target) {
  Result<Directory> directory = Directory::holding(target);
  if (!directory) {
    Error error = cannot_create(directory.error(), target);
    error.operation = "create";
    return error;
  }
  return directory;
}

Result<NewFile> NewFile::create(const std::string& target, io::Counters* counters) {
  SHUNT_ASSIGN(Directory directory, place_of(target));
  return create_in(std::move(directory), target, counters);
}

Result<NewFile> NewFile::create(const Directory& directory, const std::string& name,
                                io::Counters* counters) {
  SHUNT_ASSIGN(Directory own, directory.again());
  return create_in(std::move(own), directory.path_of(name), counters);
}

Result<NewFile> NewFile::create_in(Directory directory, const std::string& target,
                                   io::Counters* counters) {
  const std::string name = file_name(target);
  std::string temporary = companion(name, kNewFileSuffix);
  for (bool swept = false;; swept = true) {
    Result<io::File> file = create_marked(directory, temporary, counters);
    if (file) return NewFile(std::move(directory), std::move(*file), temporary, target);
    if (file.error().system_errno != EEXIST) return cannot_create(file.error(), target);
    const Result<bool> free = remove_leftover(directory, temporary);
    if (!free) return cannot_create(free.error(), target);
    // Somebody who keeps creating such files must not keep this loop going.
    if (!*free || swept)
      temporary = companion(name, fmt::format("{}-{}", kNewFileSuffix, random_digits()));
  }
}

Result<void> NewFile::sweep(const Directory& directory, const std::string& name) {
  const Result<bool> removed = remove_leftover(directory, companion(name, kNewFileSuffix));
  if (!removed && removed.error().code != ErrorCode::kBusy) return removed.error();
  return {};
}

NewFile::~NewFile() {
  if (!temporary_.empty() && file_.valid()) (void)directory_.remove_if_there(temporary_);
}

Result<void> NewFile::commit(IfThere if_there, const std::function<Result<void>()>& last_look) {
  // Content is synced before the rename: a name that survives a power failure has complete content.
  SHUNT_TRY(file_.sync());
  if (last_look) SHUNT_TRY(last_look());
  const std::string name = file_name(target_);
  const Result<void> named = if_there == IfThere::kReplace
                                 ? directory_.rename_over(temporary_, name)
                                 : directory_.rename_no_replace(temporary_, name);
  if (!named) return named.error().system_errno == EEXIST ? there_already(target_) : named.error();
  temporary_.clear();
  remove_mark(file_);
  SHUNT_TRY(file_.close());
  return directory_.sync();
}

}  // namespace shunt::files
