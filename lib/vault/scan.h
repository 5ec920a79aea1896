// Lists the directory of a vault without opening its items.
//
//   NAME                     an item
//   .NAME.<16 hex>.new       an item being reserved, or the leftover of one
//   .pins/NAME               the item is pinned
//   .usage                   the shared count (vault/ledger.h)
//   .lock                    locked while names are removed; its mtime is that of the last sweep
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/vault/vault.h"

namespace shunt::vault {

// Returns false for "", and for anything that could leave the directory or be a hidden name.
[[nodiscard]] bool is_item_name(std::string_view name);
// Returns kUsage for an invalid name.
[[nodiscard]] Result<void> check_item_name(const std::string& name);

[[nodiscard]] std::string new_hidden_name(const std::string& name);
[[nodiscard]] bool is_hidden_name(std::string_view name);  // of a reservation

[[nodiscard]] std::string pins_directory(const std::string& directory);
[[nodiscard]] std::string pin_path(const std::string& directory, const std::string& name);

struct FoundItem {
  ItemStatus status;
  struct timespec used {};  // like status.last_used, to the nanosecond
  dev_t device = 0;
  ino_t inode = 0;
};

struct Scan {
  std::vector<FoundItem> items;  // unordered
  std::uint64_t allocated = 0;   // bytes, of all items
  std::uint64_t reserved = 0;    // bytes, of files under hidden names
};

[[nodiscard]] Result<Scan> scan(const std::string& directory);
// Returns every name in `directory` except "." and ".."; none if it does not exist.
[[nodiscard]] Result<std::vector<std::string>> names_in(const std::string& directory);

// Returns true if `path` is a name of `file`.
[[nodiscard]] bool names_file(const std::string& path, const io::File& file);

}  // namespace shunt::vault
