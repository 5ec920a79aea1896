#include "shunt/files/found_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "shunt/files/path.h"
#include "shunt/text/shell_word.h"

namespace shunt::files {
namespace {

Error not_believed(const std::string& path, std::string reason) {
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.path = path;
  error.operation = "open";
  error.reason = std::move(reason);
  return error;
}

}  // namespace

std::string why_not_believed(const struct stat& status, const Believed& believed) {
  if (!S_ISREG(status.st_mode)) return "it is not a regular file";
  if (status.st_nlink > 1) return fmt::format("it has {} names", status.st_nlink);
  return why_not_owned(status, believed);
}

std::string why_not_believed_directory(const struct stat& status, const Believed& believed) {
  if (!S_ISDIR(status.st_mode)) return "it is not a directory";
  return why_not_owned(status, believed);
}

std::string why_not_owned(const struct stat& status, const Believed& believed) {
  if (status.st_uid != ::geteuid() && status.st_uid != believed.owner) {
    return fmt::format("it belongs to another user ({})", status.st_uid);
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "group or others may write to it";
  return {};
}

Result<Directory> open_own_directory(const std::string& path) {
  SHUNT_ASSIGN(Directory directory, Directory::open(path));
  SHUNT_ASSIGN(const struct stat status, directory.status());
  std::string reason = why_not_believed_directory(status, kOnlyRoot);
  if (reason.empty()) return directory;
  Error error;
  error.code = ErrorCode::kLocalIo;
  error.path = path;
  error.operation = "open directory";
  error.reason = std::move(reason);
  const bool own = status.st_uid == ::geteuid() && S_ISDIR(status.st_mode);
  error.hint = own ? "chmod go-w " + shell_word(path) : "use a directory of your own";
  return error;
}

Result<io::File> open_found(const Directory& directory, const std::string& name, FoundFor purpose,
                            const Believed& believed, io::Counters* counters) {
  const bool changing = purpose == FoundFor::kChanging;
  Result<io::File> file = directory.open(name, changing ? O_RDWR : O_RDONLY,
                                         changing ? "open for writing" : "open", counters);
  if (!file) {
    const std::string path = directory.path_of(name);
    switch (file.error().system_errno) {
      case ELOOP:
        return not_believed(path, "it is a symbolic link");
      case EISDIR:
      case ENXIO:  // a socket, for example
        return not_believed(path, "it is not a regular file");
      default:
        return file;
    }
  }
  SHUNT_ASSIGN(const struct stat status, file->status());
  if (std::string reason = why_not_believed(status, believed); !reason.empty()) {
    return not_believed(file->path(), std::move(reason));
  }
  return file;
}

Result<io::File> open_found(const std::string& path, FoundFor purpose, const Believed& believed,
                            io::Counters* counters) {
  SHUNT_ASSIGN(const Directory directory, Directory::holding(path));
  return open_found(directory, file_name(path), purpose, believed, counters);
}

}  // namespace shunt::files
