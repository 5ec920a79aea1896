#include "shunt/vault/scan.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include "shunt/files/directory.h"
#include "shunt/files/path.h"
#include "shunt/text/ascii.h"

namespace shunt::vault {
namespace {

constexpr std::size_t kMaxName = 200;
constexpr std::string_view kHiddenSuffix = ".new";
constexpr std::size_t kRandomDigits = 16;

bool is_name_character(char c) {
  return ascii::is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
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
  return usage("not a valid name of an item: 1 to 200 of A-Z a-z 0-9 . _ -, no dot first")
      .with_path(name);
}

std::string new_hidden_name(const std::string& name) {
  return fmt::format(".{}.{}{}", name, files::random_digits(), kHiddenSuffix);
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
  SHUNT_ASSIGN(const files::Directory opened, files::Directory::open(directory));
  SHUNT_ASSIGN(const std::vector<std::string> names, opened.names());
  for (const std::string& name : names) {
    const bool hidden = is_hidden_name(name);
    if (!hidden && !is_item_name(name)) continue;
    // Skips names that have just been removed, and anything that is not a regular file.
    const auto look = opened.look(name);
    if (!look || !*look || !S_ISREG((*look)->st_mode)) continue;
    const struct stat& status = **look;
    if (hidden) {
      found.reserved += allocated_bytes(status);
      continue;
    }
    FoundItem& item = found.items.emplace_back();
    item.status.name = name;
    item.status.allocated = allocated_bytes(status);
    item.status.size = static_cast<std::uint64_t>(status.st_size);
    item.status.last_used = status.st_mtim.tv_sec;
    item.status.pinned = pinned.contains(name);
    item.used = status.st_mtim;
    item.device = status.st_dev;
    item.inode = status.st_ino;
    found.allocated += item.status.allocated;
  }
  return found;
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  const Result<files::Directory> opened = files::Directory::open(directory);
  if (opened) return opened->names();
  if (opened.error().system_errno == ENOENT) return std::vector<std::string>();
  return opened.error();
}

bool names_file(const std::string& path, const io::File& file) {
  struct stat named {};
  const Result<struct stat> own = file.status();
  return own && ::lstat(path.c_str(), &named) == 0 && named.st_ino == own->st_ino &&
         named.st_dev == own->st_dev;
}

}  // namespace shunt::vault
