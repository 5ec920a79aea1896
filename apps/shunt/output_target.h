// Where -o leads: a name, or a descriptor that the program was started with.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cli_fwd.h"
#include "io/file.h"

namespace shunt::cli {

// Adds -o, --output to `app`. The empty name is a usage error.
CLI::Option* add_output(CLI::App& app, std::string& out, const std::string& text);

// The open descriptor that `out` means: "-", /dev/stdout, /dev/fd/3. It is written to as it stands,
// never replaced. nullopt: a name like others.
[[nodiscard]] std::optional<int> output_descriptor(const std::string& out);

// Whether the data goes to standard output, so that nothing else may.
[[nodiscard]] bool is_standard_output(const std::string& out);

// The descriptor as a stream for data, which the token of the signals makes it give up. kUsage for
// a terminal.
[[nodiscard]] Result<io::File> open_descriptor(const std::string& command, int descriptor,
                                               const std::string& out);

}  // namespace shunt::cli
