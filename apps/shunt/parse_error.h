// What is wrong with a command line, in words.
#pragma once

#include <string>

#include "cli_fwd.h"
#include "shunt/base/error.h"

namespace CLI {
class ParseError;
}

namespace shunt::cli {

// The command that the words of the command line have come to, as "shunt cache gc" is parsed;
// `app` itself where there is none.
[[nodiscard]] const CLI::App& chosen_command(const CLI::App& app);
// Whether a command is asked for, and none was named, nor anything else that is not an option.
[[nodiscard]] bool names_no_command(const CLI::App& app);
// kUsage: `word` is no command of `command`; the nearest that is, and where to read more.
[[nodiscard]] Error no_command(const CLI::App& command, const std::string& word);
// kUsage: which word is wrong, the nearest right one, and where to read more.
[[nodiscard]] Error explain(const CLI::App& app, const CLI::ParseError& error);

}  // namespace shunt::cli
