// --help, and `shunt help`: commands, options with the global ones, examples and the manual page,
// within 80 columns.
#pragma once

#include <string>

#include "cli_fwd.h"

namespace shunt::cli {

// Makes `app`, and the commands that are added to it from now on, print their help this way.
void use_help(CLI::App& app);

// What --help of this command prints.
[[nodiscard]] std::string help_text(const CLI::App& command);

// The words that call a command, "faststart" or "cache gc"; empty for the program itself.
[[nodiscard]] std::string words_of(const CLI::App& command);

}  // namespace shunt::cli
