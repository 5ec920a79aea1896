// Messages for command lines that cannot be parsed.
#pragma once

#include <string>

#include "cli_fwd.h"
#include "shunt/base/error.h"

namespace CLI {
class ParseError;
}

namespace shunt::cli {

// Returns the command that the command line names, for example that of "shunt cache gc"; `app` if
// it names none.
[[nodiscard]] const CLI::App& chosen_command(const CLI::App& app);
// Returns true if a command is required and the command line has none, nor any other word that is
// not an option.
[[nodiscard]] bool names_no_command(const CLI::App& app);
// Returns kUsage: `word` is not a command of `command`; with the nearest command and where to read
// more.
[[nodiscard]] Error no_command(const CLI::App& command, const std::string& word);
// Returns kUsage with the wrong word, the nearest valid one and where to read more.
[[nodiscard]] Error explain(const CLI::App& app, const CLI::ParseError& error);

}  // namespace shunt::cli
