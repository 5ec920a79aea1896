// --help and `shunt help`: commands, options including the global ones, examples and the manual
// page, within 80 columns.
#pragma once

#include <string>

#include "cli_fwd.h"

namespace shunt::cli {

// Makes `app`, and commands added to it later, print help in this way.
void use_help(CLI::App& app);

// Returns the output of --help for this command.
[[nodiscard]] std::string help_text(const CLI::App& command);

// Returns the words of a command, "faststart" or "cache gc"; empty for the program itself.
[[nodiscard]] std::string words_of(const CLI::App& command);

}  // namespace shunt::cli
