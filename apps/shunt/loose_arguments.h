// Reads what is needed to report an error from a command line that cannot be parsed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli_fwd.h"

namespace shunt::cli {

struct LooseArguments {
  bool json = false;
  std::string output;  // the value of --output; empty: not given
};

// Knows the options of `command` and of its parents: which take a value, and that short ones may be
// combined, as in -qo OUT. Skips words that it does not know.
[[nodiscard]] LooseArguments read_loosely(const CLI::App& command,
                                          const std::vector<std::string_view>& arguments);

}  // namespace shunt::cli
