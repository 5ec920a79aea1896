#include "shunt/files/access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "shunt/files/path.h"

namespace shunt::files {
namespace {

// Returns true if the file `name` in `directory` has one of these attributes of statx(2).
bool has_attribute(int directory, const char* name, int flags, std::uint64_t attributes) {
  struct statx status {};
  return ::statx(directory, name, flags, 0, &status) == 0 &&
         (status.stx_attributes & attributes) != 0;
}

// Returns true if the file is append-only; in such a directory, names can only be added.
bool is_append_only(int fd) {
  return has_attribute(fd, "", AT_EMPTY_PATH, STATX_ATTR_APPEND);
}

}  // namespace

Error explain_refusal(const Error& error, int fd) {
  if (error.system_errno != EPERM) return error;
  if (has_attribute(fd, "", AT_EMPTY_PATH, STATX_ATTR_IMMUTABLE)) {
    return error.with_hint("it is immutable: chattr -i lets it be changed");
  }
  if (is_append_only(fd)) return error.with_hint("it is append-only: chattr -a lets it be changed");
  return error;
}

Result<void> check_may_change(const Directory& directory, const std::string& name,
                              const io::File& file) {
  int number = 0;
  if (::faccessat(directory.fd(), name.c_str(), R_OK | W_OK, AT_EACCESS) != 0) {
    number = errno;
  } else if (is_append_only(file.fd())) {
    number = EPERM;
  }
  if (number == 0) return {};
  return explain_refusal(system_error(number, file.path(), "open for writing"), file.fd());
}

Result<void> check_may_make_beside(const Directory& directory, const std::string& path) {
  int number = 0;
  if (::faccessat(directory.fd(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    number = errno;
  } else if (is_append_only(directory.fd())) {
    number = EPERM;
  }
  if (number == 0) return {};
  return explain_refusal(system_error(number, parent_directory(path), "create a file"),
                         directory.fd())
      .with_hint("changing a file needs permission to create another beside it");
}

Result<void> check_may_replace(const Directory& directory, const std::string& name) {
  SHUNT_ASSIGN(const auto found, directory.look(name));
  if (!found) return {};
  SHUNT_ASSIGN(const auto own, directory.look("."));
  const uid_t user = ::geteuid();
  const bool sticky = own && (own->st_mode & S_ISVTX) != 0;
  if ((sticky && user != 0 && found->st_uid != user && own->st_uid != user) ||
      has_attribute(directory.fd(), name.c_str(), AT_SYMLINK_NOFOLLOW,
                    STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE)) {
    return system_error(EPERM, directory.path_of(name), "replace");
  }
  return {};
}

}  // namespace shunt::files
