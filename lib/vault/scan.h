// What is in the directory of a vault, without opening any of it.
//
//   NAME                     an item
//   .NAME.<16 hex>.new       an item that is being reserved, or what is left of one
//   .pins/NAME               the item is pinned
//   .usage                   the shared count (vault/ledger.h)
//   .lock                    who takes names away holds it; its time is that of the last sweep
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

// "" is not valid, nor is anything that could leave the directory or be one of the hidden names.
[[nodiscard]] bool is_item_name(std::string_view name);
// kUsage unless it is.
[[nodiscard]] Result<void> check_item_name(const std::string& name);

[[nodiscard]] std::string new_hidden_name(const std::string& name);
[[nodiscard]] bool is_hidden_name(std::string_view name);  // of a reservation

[[nodiscard]] std::string pins_directory(const std::string& directory);
[[nodiscard]] std::string pin_path(const std::string& directory, const std::string& name);

struct FoundItem {
  ItemStatus status;
  struct timespec used {};  // as status.last_used, to the nanosecond
  dev_t device = 0;
  ino_t inode = 0;
};

struct Scan {
  std::vector<FoundItem> items;  // in no order
  std::uint64_t allocated = 0;   // of the items together
  std::uint64_t reserved = 0;    // allocated by what is under hidden names
};

[[nodiscard]] Result<Scan> scan(const std::string& directory);
// Every name in `directory`, but "." and ".."; none when there is no such directory.
[[nodiscard]] Result<std::vector<std::string>> names_in(const std::string& directory);

// Whether `path` is a name of this very file.
[[nodiscard]] bool names_file(const std::string& path, const io::File& file);

}  // namespace shunt::vault
