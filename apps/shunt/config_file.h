// Reads the configuration file: keys, values and their places.
#pragma once

#include <string>
#include <vector>

#include "shunt/base/result.h"

namespace shunt::cli {

// A key, or the begin of a table.
struct ConfigItem {
  std::vector<std::string> table;   // names of the tables around it: "cache", "gc"
  std::string key;                  // empty: begin of a table
  std::vector<std::string> values;  // as on the command line
  std::string where;                // "FILE:LINE"
};

// Returns all items in file order. Returns kUsage with file and line for invalid TOML, and for a
// value that no option can have; otherwise the error of reading.
[[nodiscard]] Result<std::vector<ConfigItem>> read_config(const std::string& path);
// Same, for a text that has been read.
[[nodiscard]] Result<std::vector<ConfigItem>> parse_config(const std::string& path,
                                                           const std::string& text);

}  // namespace shunt::cli
