// One subcommand: adds its options to the command line, then runs.
#pragma once

#include <memory>
#include <string>

#include "cli_fwd.h"
#include "globals.h"

namespace shunt::cli {

class Command {
 public:
  virtual ~Command() = default;
  [[nodiscard]] virtual CLI::App* app() const = 0;
  // Whether standard output carries data when --output is `out`, empty where it is not given: then
  // the JSON of an error goes to standard error. Asked of a command line that may be wrong, too.
  [[nodiscard]] virtual bool data_on_stdout(const std::string& /*out*/) const { return false; }
  // Returns the exit code.
  virtual int run(const Globals& globals) = 0;
};

std::unique_ptr<Command> make_faststart(CLI::App& parent);
std::unique_ptr<Command> make_fetch(CLI::App& parent);
std::unique_ptr<Command> make_cache_warm(CLI::App& parent);
std::unique_ptr<Command> make_cache(CLI::App& parent);
std::unique_ptr<Command> make_stream_sink(CLI::App& parent);
std::unique_ptr<Command> make_help(CLI::App& parent);

}  // namespace shunt::cli
