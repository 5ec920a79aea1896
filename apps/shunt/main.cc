// shunt: parses the command line and hands over to a subcommand.
#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string_view>
#include <vector>

#include "base/printable.h"
#include "command.h"
#include "exit_code.h"
#include "globals.h"
#include "output.h"
#include "output_target.h"
#include "signals.h"
#include "version.h"

namespace shunt::cli {
namespace {

// The message, as it may be shown.
class PrintableMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& into) override {
    const std::string text = printable({message.payload.data(), message.payload.size()});
    into.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<PrintableMessage>();
  }
};

void start_logging(const Globals& globals) {
  auto logger = spdlog::stderr_color_st(
      "shunt", globals.colored(2) ? spdlog::color_mode::always : spdlog::color_mode::never);
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<PrintableMessage>('*').set_pattern("shunt: %*");
  logger->set_formatter(std::move(formatter));
  logger->set_level(globals.quiet          ? spdlog::level::off
                    : globals.verbose == 0 ? spdlog::level::warn
                    : globals.verbose == 1 ? spdlog::level::info
                                           : spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

// Errors of parsing come before the options are known: look for --json, and for data on standard
// output, by hand.
int report_parse_error(const CLI::App& app, const CLI::ParseError& parse_error, Globals globals,
                       int argc, char** argv) {
  if (parse_error.get_exit_code() == 0) return app.exit(parse_error);
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  globals.json = globals.json || std::ranges::find(arguments, "--json") != arguments.end();
  const CLI::App* command = &app;
  std::string words;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    words += command->get_name() + " ";
  }
  bool data_on_stdout = words == "fetch ";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view output = arguments[i];
    if (output == "-o" || output == "--output") {
      output = i + 1 < arguments.size() ? arguments[i + 1] : "";
    } else if (output.starts_with("--output=")) {
      output.remove_prefix(9);
    } else if (output.starts_with("-o")) {
      output.remove_prefix(2);
    } else {
      continue;
    }
    data_on_stdout = is_standard_output(std::string(output));
  }
  const Error error =
      usage(parse_error.what()).with_hint(fmt::format("see 'shunt {}--help'", words));
  print_error(globals, error, data_on_stdout ? Stream::kErr : Stream::kOut);
  return kUsage;
}

// A standard descriptor that is closed would be given to the next file that is opened, and what is
// said would be written into it. In its place comes one that fails like a closed one.
void keep_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    (void)::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // the lowest free
  }
}

int run(int argc, char** argv) {
  CLI::App app("Moves the bytes of media files and blobs as little as possible.", "shunt");
  Globals globals;
  add_globals(app, globals);
  app.set_version_flag("--version", "shunt " SHUNT_VERSION);
  app.require_subcommand(1);
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.get_formatter()->column_width(26);
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_faststart(app));
  commands.push_back(make_fetch(app));
  commands.push_back(make_cache_warm(app));
  commands.push_back(make_cache(app));
  commands.push_back(make_stream_sink(app));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse_error(app, error, globals, argc, argv);
  }
  start_logging(globals);
  install_signal_handlers();
  const auto chosen =
      std::ranges::find_if(commands, [](const auto& command) { return command->app()->parsed(); });
  const int code = (*chosen)->run(globals);
  if (code != kDone || !output_was_lost()) return code;
  print(Stream::kErr, "shunt: (standard output): write: what there was to say is lost\n");
  return kLocalIo;
}

}  // namespace
}  // namespace shunt::cli

int main(int argc, char** argv) {
  try {
    shunt::cli::keep_standard_descriptors();
    return shunt::cli::run(argc, argv);
  } catch (const std::exception& error) {
    // Only bugs and exhausted memory come here; the journal keeps what was under way.
    std::fprintf(stderr, "shunt: internal error: %s\n", error.what());
    return shunt::cli::kFailed;
  }
}
