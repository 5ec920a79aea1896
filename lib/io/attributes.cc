#include "io/attributes.h"

#include <sys/xattr.h>

#include <cerrno>
#include <string_view>

#include "io/kernel.h"

namespace shunt::io {
namespace {

Result<std::string> read_xattr(const File& file, const char* name) {
  for (;;) {
    const ssize_t size = ::fgetxattr(file.fd(), name, nullptr, 0);
    if (size < 0) return system_error(errno, file.path(), "read extended attributes");
    std::string value(static_cast<std::size_t>(size), '\0');
    const ssize_t got = ::fgetxattr(file.fd(), name, value.data(), value.size());
    if (got >= 0) {
      value.resize(static_cast<std::size_t>(got));
      return value;
    }
    if (errno != ERANGE) return system_error(errno, file.path(), "read extended attributes");
  }
}

Error not_permitted(const File& file, const char* operation) {
  Error error = system_error(errno, file.path(), operation);
  error.code = ErrorCode::kUnsuitable;
  return error;
}

}  // namespace

Result<Attributes> Attributes::of(const File& file) {
  Attributes attributes;
  SHUNT_ASSIGN(attributes.status, file.status());
  std::string names;
  for (;;) {
    const ssize_t size = ::flistxattr(file.fd(), nullptr, 0);
    if (size <= 0) break;  // none, or a file system without them
    names.resize(static_cast<std::size_t>(size));
    const ssize_t got = ::flistxattr(file.fd(), names.data(), names.size());
    if (got >= 0) {
      names.resize(static_cast<std::size_t>(got));
      break;
    }
    if (errno != ERANGE) return system_error(errno, file.path(), "list extended attributes");
  }
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    SHUNT_ASSIGN(std::string value, read_xattr(file, name.c_str()));
    attributes.extended.emplace_back(name, std::move(value));
  }
  return attributes;
}

Result<void> Attributes::apply_to(File& file) const {
  SHUNT_ASSIGN(const struct stat own, file.status());
  if ((own.st_uid != status.st_uid || own.st_gid != status.st_gid) &&
      kernel().fchown(file.fd(), status.st_uid, status.st_gid) != 0) {
    return not_permitted(file, "keep the owner");
  }
  // After the owner, which clears set-user-ID bits; before the ACL, which the mode would change.
  if (kernel().fchmod(file.fd(), status.st_mode & 07777) != 0) {
    return not_permitted(file, "keep the mode");
  }
  for (const auto& [name, value] : extended) {
    if (kernel().fsetxattr(file.fd(), name.c_str(), value.data(), value.size()) == 0) continue;
    // The security module labels new files itself and may refuse to be told.
    if (name == "security.selinux" && (errno == EPERM || errno == EACCES || errno == EOPNOTSUPP)) {
      continue;
    }
    return not_permitted(file, "keep the extended attributes");
  }
  const struct timespec times[2] = {status.st_atim, {0, UTIME_OMIT}};
  if (kernel().futimens(file.fd(), times) != 0) return not_permitted(file, "keep the times");
  return {};
}

bool same_state(const struct stat& a, const struct stat& b) {
  const auto same_time = [](const struct timespec& x, const struct timespec& y) {
    return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
  };
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size &&
         same_time(a.st_mtim, b.st_mtim) && same_time(a.st_ctim, b.st_ctim);
}

Result<void> apply_default_mode(File& file) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (kernel().fchmod(file.fd(), 0666 & ~mask) != 0) {
    return system_error(errno, file.path(), "set the mode");
  }
  return {};
}

}  // namespace shunt::io
