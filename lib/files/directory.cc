#include "shunt/files/directory.h"

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "shunt/files/path.h"
#include "shunt/io/kernel.h"

namespace shunt::files {

namespace {

Result<io::Fd> open_to_search(const std::string& directory) {
  for (;;) {
    io::Fd fd(io::kernel().open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
    if (fd.valid()) return fd;
    if (errno != EINTR) return system_error(errno, directory, "open directory");
  }
}

}  // namespace

Result<Directory> Directory::holding(const std::string& path) {
  SHUNT_ASSIGN(io::Fd fd, open_to_search(parent_directory(path)));
  return Directory(std::move(fd), path.substr(0, path.rfind('/') + 1));
}

Result<Directory> Directory::open(const std::string& path) {
  SHUNT_ASSIGN(io::Fd fd, open_to_search(path));
  return Directory(std::move(fd), path.ends_with('/') ? path : path + '/');
}

Result<Directory> Directory::again() const {
  io::Fd fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return system_error(errno, prefix_, "open directory");
  return Directory(std::move(fd), prefix_);
}

Result<struct stat> Directory::status() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return system_error(errno, path_of("."), "stat");
  return status;
}

Result<io::Fd> Directory::open_to_list() const {
  io::Fd fd(io::kernel().open_at(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  if (!fd.valid()) return system_error(errno, path_of("."), "open directory");
  return fd;
}

Result<std::vector<std::string>> Directory::names() const {
  SHUNT_ASSIGN(io::Fd fd, open_to_list());
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), &::closedir);
  if (stream == nullptr) return system_error(errno, path_of("."), "list directory");
  (void)fd.release();  // closedir() closes it
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return system_error(errno, path_of("."), "list directory");
  return names;
}

Result<io::File> Directory::open(const std::string& name, int flags, const char* operation,
                                 io::Counters* counters) const {
  for (;;) {
    io::Fd fd(io::kernel().open_at(fd_.get(), name.c_str(),
                                   flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (fd.valid()) return io::File::adopt(std::move(fd), path_of(name), counters);
    if (errno != EINTR) return system_error(errno, path_of(name), operation);
  }
}

Result<std::optional<struct stat>> Directory::look(const std::string& name) const {
  struct stat status {};
  if (::fstatat(fd_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return {status};
  if (errno == ENOENT) return std::optional<struct stat>();
  return system_error(errno, path_of(name), "stat");
}

bool Directory::leads_to(const std::string& name, const io::File& file) const {
  const auto named = look(name);
  const auto own = file.status();
  return named && *named && own && (*named)->st_ino == own->st_ino &&
         (*named)->st_dev == own->st_dev;
}

Result<bool> Directory::remove_if_there(const std::string& name) const {
  if (io::kernel().unlink_at(fd_.get(), name.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  return system_error(errno, path_of(name), "remove");
}

Result<void> Directory::rename_over(const std::string& from, const std::string& to) const {
  if (io::kernel().rename_at(fd_.get(), from.c_str(), to.c_str()) == 0) return {};
  return system_error(errno, path_of(to), "create");
}

Result<void> Directory::rename_no_replace(const std::string& from, const std::string& to) const {
  if (io::kernel().rename_no_replace_at(fd_.get(), from.c_str(), to.c_str()) == 0) return {};
  return system_error(errno, path_of(to), "create");
}

Result<void> Directory::sync() const {
  const Result<io::Fd> fd = open_to_list();
  if (fd) return sync_directory(fd->get(), path_of("."));
  if (fd.error().system_errno != EACCES) return fd.error();
  // The directory can be written to but not listed: syncs its file system by an unnamed file, or
  // all file systems.
  const io::Fd unnamed(io::kernel().open_at(fd_.get(), ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
  if (!unnamed.valid()) {
    io::kernel().sync();
  } else if (io::kernel().syncfs(unnamed.get()) != 0) {
    return system_error(errno, path_of("."), "sync");
  }
  return {};
}

}  // namespace shunt::files
