#include "shunt/files/attributes.h"

#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "shunt/io/kernel.h"

namespace shunt::files {
namespace {

Result<std::string> read_xattr(const io::File& file, const char* name) {
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

// Signatures of the content, which a new file must not get, and shunt's own marks.
bool is_of_content(std::string_view name) {
  return name == "security.ima" || name == "security.evm" || name == "user.shunt.unfinished" ||
         name == "user.shunt.journal";
}

bool has_xattr(const io::File& file, const std::string& name, const std::string& value) {
  const Result<std::string> own = read_xattr(file, name.c_str());
  return own && *own == value;
}

constexpr const char* kAcl = "system.posix_acl_access";

Error not_permitted(const io::File& file, const char* operation) {
  Error error = system_error(errno, file.path(), operation);
  error.code = ErrorCode::kUnsuitable;
  return error;
}

}  // namespace

Result<Attributes> Attributes::of(const io::File& file) {
  Attributes attributes;
  SHUNT_ASSIGN(attributes.status, file.status());
  std::string names;
  for (;;) {
    const ssize_t size = ::flistxattr(file.fd(), nullptr, 0);
    if (size <= 0) break;  // none, or not supported
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
    if (is_of_content(name)) continue;
    SHUNT_ASSIGN(std::string value, read_xattr(file, name.c_str()));
    attributes.extended.emplace_back(name, std::move(value));
  }
  attributes.flags = InodeFlags::of(file);
  return attributes;
}

Result<void> Attributes::apply_to(io::File& file) const {
  SHUNT_ASSIGN(const struct stat own, file.status());
  if ((own.st_uid != status.st_uid || own.st_gid != status.st_gid) &&
      io::kernel().fchown(file.fd(), status.st_uid, status.st_gid) != 0) {
    return not_permitted(file, "keep the owner");
  }
  // The directory's default ACL would widen the mode.
  const bool has_acl = std::ranges::find(extended, kAcl, [](const auto& pair) {
                         return pair.first;
                       }) != extended.end();
  if (!has_acl && ::fgetxattr(file.fd(), kAcl, nullptr, 0) >= 0 &&
      io::kernel().fremovexattr(file.fd(), kAcl) != 0) {
    return not_permitted(file, "keep the ACL");
  }
  // After chown, which clears set-user-ID bits; before the ACL, which chmod would change.
  if (io::kernel().fchmod(file.fd(), status.st_mode & 07777) != 0) {
    return not_permitted(file, "keep the mode");
  }
  for (const auto& [name, value] : extended) {
    // An attribute that the file already has, such as a default security label, cannot always be
    // set.
    if (has_xattr(file, name, value)) continue;
    if (io::kernel().fsetxattr(file.fd(), name.c_str(), value.data(), value.size()) == 0) continue;
    return not_permitted(file, "keep the extended attributes");
  }
  SHUNT_TRY(flags.apply_to(file));
  const struct timespec times[2] = {status.st_atim, {0, UTIME_OMIT}};
  if (io::kernel().futimens(file.fd(), times) != 0) return not_permitted(file, "keep the times");
  return {};
}

Result<void> inherit_attributes(io::File& made, const Directory& directory,
                                const std::string& name) {
  SHUNT_ASSIGN(const auto there, directory.look(name));
  if (!there || !S_ISREG(there->st_mode)) return apply_default_mode(made);
  Attributes attributes;
  const Result<io::File> file = directory.open(name, O_RDONLY, "open");
  if (file) {
    SHUNT_ASSIGN(attributes, Attributes::of(*file));
  } else if (file.error().system_errno == EACCES) {
    attributes.status = *there;  // unreadable even for its owner: use its status only
  } else {
    return file.error();
  }
  return attributes.apply_to(made);
}

bool same_state(const struct stat& a, const struct stat& b) {
  const auto same_time = [](const struct timespec& x, const struct timespec& y) {
    return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
  };
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size &&
         same_time(a.st_mtim, b.st_mtim) && same_time(a.st_ctim, b.st_ctim);
}

Result<void> apply_default_mode(io::File& file) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (io::kernel().fchmod(file.fd(), 0666 & ~mask) != 0) {
    return system_error(errno, file.path(), "set the mode");
  }
  return {};
}

}  // namespace shunt::files
