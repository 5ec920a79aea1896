#include "shunt/files/path.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <random>

#include "shunt/io/fd.h"
#include "shunt/io/kernel.h"
#include "shunt/text/ascii.h"

namespace shunt::files {
namespace {

// FNV-1a: enough to distinguish two long names in a directory, and the same in every version.
std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

std::string parent_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Result<std::string> resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (real == nullptr) return system_error(errno, path, "open");
  return std::string(real.get());
}

bool is_out_of_reach(const std::string& path) {
  return ::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_EACCESS) != 0 && errno == EACCES;
}

std::optional<int> descriptor_named(const std::string& path) {
  const Result<std::string> own = resolve("/proc/self/fd");
  if (!own) return std::nullopt;
  // Follows one link at a time: the last one would lead to the file behind the descriptor.
  std::string name = path;
  constexpr int kMaxLinks = 40;
  for (int links = 0; links < kMaxLinks; ++links) {
    const std::string base = file_name(name);
    const Result<std::string> directory = resolve(parent_directory(name));
    if (!directory) return std::nullopt;
    if (*directory == *own) {
      const auto number = ascii::parse_number<int>(base);
      if (number && ::fcntl(*number, F_GETFD) < 0) return std::nullopt;
      return number;
    }
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlink(name.c_str(), target.data(), target.size());
    if (size <= 0 || static_cast<std::size_t>(size) == target.size()) return std::nullopt;
    const std::string_view link(target.data(), static_cast<std::size_t>(size));
    name = link.front() == '/' ? std::string(link) : fmt::format("{}/{}", *directory, link);
  }
  return std::nullopt;
}

std::string companion(const std::string& path, std::string_view suffix) {
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  std::string name = file_name(path);
  if (name.size() + suffix.size() + 1 > NAME_MAX) {
    const std::string hash = fmt::format("~{:016x}", name_hash(name));
    name = name.substr(0, NAME_MAX - 1 - suffix.size() - hash.size()) + hash;
  }
  return directory + "." + name + std::string(suffix);
}

std::string random_digits() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Result<void> sync_directory(const std::string& directory) {
  const io::Fd fd(io::kernel().open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  if (!fd.valid()) return system_error(errno, directory, "open directory");
  return sync_directory(fd.get(), directory);
}

Result<void> sync_directory(int fd, const std::string& name) {
  if (io::kernel().fsync(fd) == 0) return {};
  // Some network and FUSE file systems do not support it; they keep names in order themselves.
  if (errno == EINVAL || errno == ENOTSUP || errno == EROFS) return {};
  return system_error(errno, name, "sync directory");
}

Result<void> rename_over(const std::string& from, const std::string& to) {
  if (io::kernel().rename(from.c_str(), to.c_str()) != 0) return system_error(errno, to, "create");
  return {};
}

Result<void> rename_no_replace(const std::string& from, const std::string& to) {
  if (io::kernel().rename_no_replace(from.c_str(), to.c_str()) != 0) {
    return system_error(errno, to, "create");
  }
  return {};
}

Result<void> make_directories(const std::string& path) {
  // From the bottom up as far as needed: directories above may not be readable.
  if (io::kernel().mkdir(path.c_str(), 0700) == 0) return {};
  if (errno == ENOENT) {
    const std::string parent = parent_directory(path);
    if (parent == path || parent == "." || parent == "/") {
      return system_error(ENOENT, path, "make directory");
    }
    SHUNT_TRY(make_directories(parent));
    if (io::kernel().mkdir(path.c_str(), 0700) == 0) return {};
  }
  const int number = errno;
  struct stat status {};
  // Created by somebody else in the meantime, or existing where creating is not permitted.
  if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return {};
  Error error = system_error(number, path, "make directory");
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (number == EEXIST && size > 0) {
    error.reason = fmt::format("it is a symbolic link to {}, where there is no directory",
                               std::string_view(target.data(), static_cast<std::size_t>(size)));
  } else if (number == EEXIST) {
    error.reason = "it exists and is not a directory";
  }
  return error;
}

Error there_already(const std::string& path) {
  Error error = system_error(EEXIST, path, "create");
  error.reason = "the file exists";
  error.hint = "--force replaces it";
  return error;
}

Result<bool> remove_if_there(const std::string& path) {
  if (io::kernel().unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  return system_error(errno, path, "remove");
}

}  // namespace shunt::files
