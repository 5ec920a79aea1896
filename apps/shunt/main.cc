// shunt: parses the command line and runs a subcommand.
#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "command.h"
#include "exit_code.h"
#include "globals.h"
#include "help.h"
#include "loose_arguments.h"
#include "output.h"
#include "parse_error.h"
#include "settings.h"
#include "shunt/base/catching.h"
#include "shunt/base/log.h"
#include "signals.h"
#include "version.h"

namespace shunt::cli {
namespace {

// Writes the log to standard error as errors are written: made printable, and not into a progress
// line.
class PrintedLog final : public spdlog::sinks::base_sink<std::mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    print_line(Stream::kErr,
               "shunt: " + std::string(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}
};

void start_logging(const Globals& globals) {
  auto logger = std::make_shared<spdlog::logger>("shunt", std::make_shared<PrintedLog>());
  logger->set_level(globals.quiet          ? spdlog::level::off
                    : globals.verbose == 0 ? spdlog::level::warn
                    : globals.verbose == 1 ? spdlog::level::info
                                           : spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

using Commands = std::vector<std::unique_ptr<Command>>;

// Returns the command that the command line names, or null.
Command* chosen_of(const Commands& commands, const CLI::App& app) {
  const auto named = app.get_subcommands();
  const auto chosen = std::ranges::find_if(
      commands, [&](const auto& command) { return !named.empty() && command->app() == named[0]; });
  return chosen == commands.end() ? nullptr : chosen->get();
}

// Where the JSON of an error goes.
Stream stream_for_errors(const Command* command, const std::string& output) {
  return command != nullptr && command->data_on_stdout(output) ? Stream::kErr : Stream::kOut;
}

// Same, once the command line has been parsed.
Stream stream_for_errors(const Command& command) {
  const CLI::Option* const output = command.app()->get_option_no_throw("--output");
  return stream_for_errors(
      &command, output == nullptr || output->count() == 0 ? "" : output->results().back());
}

// Returns `code`, or an error code if output was lost.
int unless_lost(int code) {
  if (code != kDone || !output_was_lost()) return code;
  print(Stream::kErr, "shunt: (standard output): write: the output is lost\n");
  return kLocalIo;
}

// Parse errors come before the options are known.
int report_parse_error(const CLI::App& app, const CLI::ParseError& parse_error, Globals globals,
                       const Commands& commands, const std::vector<std::string_view>& arguments) {
  if (parse_error.get_exit_code() == 0) {  // --help, --version
    std::ostringstream text;
    (void)app.exit(parse_error, text, text);
    print(Stream::kOut, text.str());
    return unless_lost(kDone);
  }
  const LooseArguments read = read_loosely(chosen_command(app), arguments);
  globals.json = globals.json || read.json || is_on("SHUNT_JSON");
  // Without a command, prints the help; but nothing was done.
  if (parse_error.get_name() == "RequiredError" && names_no_command(app) && !globals.json) {
    print(Stream::kErr, help_text(chosen_command(app)));
    return kUsage;
  }
  print_error(globals, explain(app, parse_error),
              stream_for_errors(chosen_of(commands, app), read.output));
  return kUsage;
}

// Runs `command`. When an exception arrives here, everything the command had is released:
// incomplete files, sockets, memory. It is then reported like other errors.
int run_command(Command& command, const Globals& globals) {
  const Result<int> code = catching([&]() -> Result<int> { return command.run(globals); });
  if (code) return *code;
  print_error(globals, code.error(), stream_for_errors(command));
  return exit_code_of(code.error().code, cancel_token());
}

// A closed standard descriptor would be given to the next opened file, and messages would be
// written into that. Replaces it by one that fails like a closed one.
void keep_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    (void)::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // the lowest free
  }
}

int run(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  CLI::App app("Moves the bytes of media files and blobs as little as possible.", "shunt");
  Globals globals;
  app.set_help_flag("-h,--help", "Print this help and exit");
  add_globals(app, globals);
  app.set_version_flag("--version", "shunt " SHUNT_VERSION, "Print the version and exit");
  app.require_subcommand(1);
  use_help(app);
  Commands commands;
  commands.push_back(make_faststart(app));
  commands.push_back(make_fetch(app));
  commands.push_back(make_cache_warm(app));
  commands.push_back(make_cache(app));
  commands.push_back(make_stream_sink(app));
  commands.push_back(make_help(app));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse_error(app, error, globals, commands, arguments);
  }
  Command& chosen = *chosen_of(commands, app);
  Result<Settings> applied = apply_settings(app, globals.config);
  if (!applied) {
    print_error(globals, applied.error(), stream_for_errors(chosen));
    return kUsage;
  }
  globals.settings = std::move(*applied);
  settle_globals(app, globals);
  start_logging(globals);
  if (const std::optional<Error>& why = globals.settings.out_of_reach) {
    log::info("continuing without a configuration: {}", why->describe());
  }
  install_signal_handlers();
  return unless_lost(run_command(chosen, globals));
}

}  // namespace
}  // namespace shunt::cli

int main(int argc, char** argv) {
  try {
    shunt::cli::keep_standard_descriptors();
    return shunt::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    // Without allocating, since print_error() may lack memory.
    std::fputs("shunt: out of memory\n", stderr);
    return shunt::cli::kLocalIo;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "shunt: internal error: %s\n", error.what());
    return shunt::cli::kFailed;
  }
}
