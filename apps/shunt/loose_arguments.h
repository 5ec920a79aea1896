// A command line that could not be parsed, read for what tells how to say so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli_fwd.h"

namespace shunt::cli {

struct LooseArguments {
  bool json = false;
  std::string output;  // the value of --output; empty: not there
};

// Knows the options of `command` and of those above it: which take a value, and that short ones may
// stand together, as in -qo OUT. Words that it does not know are passed over.
[[nodiscard]] LooseArguments read_loosely(const CLI::App& command,
                                          const std::vector<std::string_view>& arguments);

}  // namespace shunt::cli
