#include "io/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <random>

#include "io/kernel.h"
#include "io/lock.h"
#include "io/path.h"

namespace shunt::io {

namespace {

// What is being written bears this extended attribute. Only a file that has it is taken for what a
// run that died has left: anybody may have a file of that name.
constexpr const char* kMark = "user.shunt.unfinished";

bool is_named(const File& file, const std::string& path) {
  struct stat named {};
  const Result<struct stat> own = file.status();
  return own && ::lstat(path.c_str(), &named) == 0 && named.st_ino == own->st_ino &&
         named.st_dev == own->st_dev;
}

// File systems without extended attributes: what is left there cannot be told, and stays.
void mark(const File& file) {
  (void)kernel().fsetxattr(file.fd(), kMark, "", 0);
}

// A mark that stays on is of no consequence.
void remove_mark(const File& file) {
  if (kernel().fremovexattr(file.fd(), kMark) == 0 || (errno != EACCES && errno != EPERM)) return;
  // It takes the right to write, which the owner of a read-only file has to give themselves.
  const Result<struct stat> status = file.status();
  if (!status || kernel().fchmod(file.fd(), (status->st_mode & 07777) | S_IWUSR) != 0) return;
  (void)kernel().fremovexattr(file.fd(), kMark);
  (void)kernel().fchmod(file.fd(), status->st_mode & 07777);
}

// Whether the name is free afterwards. False: it is somebody else's. kBusy when another process is
// writing it.
Result<bool> remove_leftover(const std::string& temporary) {
  Fd fd(kernel().open(temporary.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0));
  if (!fd.valid()) return errno == ENOENT;
  const File leftover = File::adopt(std::move(fd), temporary);
  if (::fgetxattr(leftover.fd(), kMark, nullptr, 0) < 0) return false;
  SHUNT_TRY(lock_exclusive(leftover));
  if (is_named(leftover, temporary)) SHUNT_TRY(remove_if_there(temporary));
  return true;
}

// In the terms of whoever named `target`.
Error cannot_create(const Error& cause, const std::string& target) {
  Error error = cause;
  error.path = target;
  const std::string directory = parent_directory(target);
  struct stat status {};
  if (error.system_errno == ENOENT && ::stat(directory.c_str(), &status) != 0) {
    error.reason = "there is no directory " + directory;
  }
  if (error.system_errno == ENOTDIR) error.reason = directory + " is no directory";
  return error;
}

// A new file, locked and marked, under `name`. Where the file system can, it is so before it has
// the name, so that nobody finds it without.
Result<File> create_marked(const std::string& name, Counters* counters) {
  const std::string directory = parent_directory(name);
  Fd fd;
  do {
    fd = Fd(kernel().open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
  } while (!fd.valid() && errno == EINTR);
  if (fd.valid()) {
    File file = File::adopt(std::move(fd), name, counters);
    SHUNT_TRY(lock_exclusive(file));
    mark(file);
    int linked = 0;
    do {
      linked = kernel().link_unnamed(file.fd(), name.c_str());
    } while (linked != 0 && errno == EINTR);
    if (linked == 0) return file;
    if (errno == EEXIST) return system_error(errno, name, "create");
  }
  // No O_TMPFILE, or no /proc to name it by.
  for (;;) {
    SHUNT_ASSIGN(File file, File::create(name, counters));
    // Between creating and locking, another process may have taken it for a leftover.
    mark(file);
    if (lock_exclusive(file) && is_named(file, name)) return file;
  }
}

std::string random_suffix() {
  std::random_device random;
  return fmt::format("{}-{:08x}{:08x}", kNewFileSuffix, random(), random());
}

}  // namespace

Result<NewFile> NewFile::create(const std::string& target, Counters* counters) {
  std::string temporary = companion(target, kNewFileSuffix);
  for (;;) {
    Result<File> file = create_marked(temporary, counters);
    if (file) return NewFile(std::move(*file), temporary, target);
    if (file.error().system_errno != EEXIST) return cannot_create(file.error(), target);
    SHUNT_ASSIGN(const bool free, remove_leftover(temporary));
    if (!free) temporary = companion(target, random_suffix());
  }
}

Result<void> NewFile::sweep(const std::string& target) {
  const Result<bool> removed = remove_leftover(companion(target, kNewFileSuffix));
  if (!removed && removed.error().code != ErrorCode::kBusy) return removed.error();
  return {};
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
    return errno == EEXIST ? there_already(target_) : system_error(errno, target_, "create");
  }
  temporary_.clear();
  remove_mark(file_);
  SHUNT_TRY(file_.close());
  return sync_directory(parent_directory(target_));
}

}  // namespace shunt::io
