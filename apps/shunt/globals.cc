#include "globals.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "nearest.h"
#include "settings.h"
#include "shunt/text/size_text.h"

namespace shunt::cli {
namespace {

// A terminal without TERM may not support escapes.
bool knows_escapes(int fd) {
  return ::isatty(fd) == 1 && is_set("TERM") && std::string_view(std::getenv("TERM")) != "dumb";
}

}  // namespace

std::uint64_t Globals::cache_bytes() const {
  return parse_size(cache_size).value();
}

bool Globals::colored(int fd) const {
  if (color == "always") return true;
  if (color == "never") return false;
  return knows_escapes(fd) && !is_set("NO_COLOR");
}

bool Globals::shows_progress() const {
  return !quiet && !json && !no_progress && knows_escapes(STDERR_FILENO);
}

// CLI11's own parsing of unsigned numbers accepts -1.
std::string is_size(const std::string& text) {
  const Result<std::uint64_t> size = parse_size(text);
  return size ? "" : size.error().reason;
}

void add_globals(CLI::App& app, Globals& globals) {
  // By default, options cannot be set by the environment and the configuration file (settings.h);
  // the commands inherit this.
  app.option_defaults()->configurable(false);
  with_environment(app.add_flag("-q,--quiet", globals.quiet, "Print errors only"));
  with_environment(app.add_flag("-v,--verbose", globals.verbose, "Print more; twice, even more"));
  with_environment(app.add_flag("--json", globals.json, "One JSON document instead of text"));
  with_environment(app.add_option("--color", globals.color, "Colour: auto, always or never (auto)")
                       ->check(one_of({"auto", "always", "never"}))
                       ->type_name("WHEN"));
  with_environment(app.add_flag("--no-progress", globals.no_progress, "No progress bar"));
  with_environment(
      app.add_option("--cache-dir", globals.cache_dir, "Directory of the cache")->type_name("DIR"));
  with_environment(app.add_option("--cache-size", globals.cache_size,
                                  "Limit of the cache on disk (10G); 0: none")
                       ->check(is_size)
                       ->type_name("SIZE"));
  app.add_option("--config", globals.config, "Configuration file, instead of the default one")
      ->type_name("FILE");
}

void settle_globals(const CLI::App& app, Globals& globals) {
  if (!globals.quiet || globals.verbose == 0) return;
  const CLI::Option& verbose = *app.get_option("--verbose");
  // If both have the same origin, -q takes precedence over -v.
  if (one_that_counts(*app.get_option("--quiet"), verbose) == &verbose) {
    globals.quiet = false;
  } else {
    globals.verbose = 0;
  }
}

}  // namespace shunt::cli
