#include "vault/scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <random>
#include <unordered_set>

#include "base/ascii.h"

namespace shunt::vault {
namespace {

constexpr std::size_t kMaxName = 200;
constexpr std::string_view kHiddenSuffix = ".new";
constexpr std::size_t kRandomDigits = 16;

bool is_name_character(char c) {
  return ascii::is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
}

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// Calls `visit` with the descriptor of the directory and each entry. ENOENT is left to the caller.
template <typename Visit>
Result<void> for_each_entry(const std::string& directory, Visit visit) {
  const Directory stream(::opendir(directory.c_str()));
  if (stream == nullptr) return system_error(errno, directory, "open directory");
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    visit(::dirfd(stream.get()), *entry);
  }
  if (errno != 0) return system_error(errno, directory, "read directory");
  return {};
}

std::uint64_t allocated_bytes(const struct stat& status) {
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

}  // namespace

bool is_item_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

Result<void> check_item_name(const std::string& name) {
  if (is_item_name(name)) return {};
  return usage("not a name of an item: 1 to 200 of A-Z a-z 0-9 . _ -, no dot first")
      .with_path(name);
}

std::string new_hidden_name(const std::string& name) {
  std::random_device random;
  return fmt::format(".{}.{:08x}{:08x}{}", name, random(), random(), kHiddenSuffix);
}

bool is_hidden_name(std::string_view name) {
  constexpr std::size_t kTail = 1 + kRandomDigits + kHiddenSuffix.size();
  if (name.size() < 1 + kTail || name.front() != '.' || !name.ends_with(kHiddenSuffix)) {
    return false;
  }
  const std::string_view tail = name.substr(name.size() - kTail);
  const std::string_view digits = tail.substr(1, kRandomDigits);
  return tail.front() == '.' && std::all_of(digits.begin(), digits.end(), ascii::is_lower_hex) &&
         is_item_name(name.substr(1, name.size() - 1 - kTail));
}

std::string pins_directory(const std::string& directory) {
  return directory + "/.pins";
}

std::string pin_path(const std::string& directory, const std::string& name) {
  return pins_directory(directory) + "/" + name;
}

Result<Scan> scan(const std::string& directory) {
  SHUNT_ASSIGN(const std::vector<std::string> pins, names_in(pins_directory(directory)));
  const std::unordered_set<std::string> pinned(pins.begin(), pins.end());
  Scan found;
  SHUNT_TRY(for_each_entry(directory, [&](int fd, const dirent& entry) {
    const bool hidden = is_hidden_name(entry.d_name);
    if (!hidden && !is_item_name(entry.d_name)) return;
    struct stat status {};
    // One that has just been taken away is not there; nor is anything that is no file of ours.
    if (::fstatat(fd, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (!S_ISREG(status.st_mode)) return;
    if (hidden) {
      found.reserved += allocated_bytes(status);
      return;
    }
    FoundItem& item = found.items.emplace_back();
    item.status.name = entry.d_name;
    item.status.allocated = allocated_bytes(status);
    item.status.size = static_cast<std::uint64_t>(status.st_size);
    item.status.last_used = status.st_mtim.tv_sec;
    item.status.pinned = pinned.contains(item.status.name);
    item.used = status.st_mtim;
    item.device = status.st_dev;
    item.inode = status.st_ino;
    found.allocated += item.status.allocated;
  }));
  return found;
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  std::vector<std::string> names;
  const Result<void> read = for_each_entry(directory, [&](int, const dirent& entry) {
    const std::string_view name = entry.d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  });
  if (!read && read.error().system_errno != ENOENT) return read.error();
  return names;
}

bool names_file(const std::string& path, const io::File& file) {
  struct stat named {};
  const Result<struct stat> own = file.status();
  return own && ::lstat(path.c_str(), &named) == 0 && named.st_ino == own->st_ino &&
         named.st_dev == own->st_dev;
}

}  // namespace shunt::vault
