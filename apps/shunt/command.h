// A subcommand: adds its options to the command line, then runs.
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
  // Returns true if standard output carries data when --output is `out` (empty: not given): the
  // JSON of an error then goes to standard error. Also called for an invalid command line.
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
