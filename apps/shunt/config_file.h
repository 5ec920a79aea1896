// The configuration file: what it gives to which key, and where that stands.
#pragma once

#include <string>
#include <vector>

#include "shunt/base/result.h"

namespace shunt::cli {

// A key, or a table that begins.
struct ConfigItem {
  std::vector<std::string> table;   // the names it lies below: "cache", "gc"
  std::string key;                  // empty: the table itself
  std::vector<std::string> values;  // as the command line would have them
  std::string where;                // "FILE:LINE"
};

// All there is, in the order of the lines. kUsage names file and line of what is no TOML, and of a
// value that no option can have. Other errors are those of reading.
[[nodiscard]] Result<std::vector<ConfigItem>> read_config(const std::string& path);
// The same of text that is there already.
[[nodiscard]] Result<std::vector<ConfigItem>> parse_config(const std::string& path,
                                                           const std::string& text);

}  // namespace shunt::cli
