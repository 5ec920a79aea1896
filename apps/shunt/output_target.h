// The option -o, --output.
#pragma once

#include <string>

#include "cli_fwd.h"

namespace shunt::cli {

// Adds -o, --output to `app`. An empty name is a usage error.
CLI::Option* add_output(CLI::App& app, std::string& out, const std::string& text);

}  // namespace shunt::cli
