// One subcommand: adds its options to the command line, then runs.
#pragma once

#include <memory>

#include "cli_fwd.h"
#include "globals.h"

namespace shunt::cli {

class Command {
 public:
  virtual ~Command() = default;
  [[nodiscard]] virtual CLI::App* app() const = 0;
  // Returns the exit code.
  virtual int run(const Globals& globals) = 0;
};

std::unique_ptr<Command> make_faststart(CLI::App& parent);
std::unique_ptr<Command> make_fetch(CLI::App& parent);
std::unique_ptr<Command> make_cache_warm(CLI::App& parent);
std::unique_ptr<Command> make_cache(CLI::App& parent);
std::unique_ptr<Command> make_stream_sink(CLI::App& parent);

}  // namespace shunt::cli
