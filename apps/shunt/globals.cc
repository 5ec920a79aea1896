#include "globals.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>

#include "base/size_text.h"

namespace shunt::cli {
namespace {

std::string environment_name(std::string option) {
  for (char& c : option) {
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return "SHUNT_" + option;
}

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

// CLI11 lets the file overrule the environment; here the environment comes first.
class ConfigBehindEnvironment final : public CLI::ConfigTOML {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> found = CLI::ConfigTOML::from_config(input);
    std::erase_if(found, [](const CLI::ConfigItem& item) {
      return is_set(environment_name(item.name).c_str());
    });
    return found;
  }
};

std::string config_path() {
  if (is_set("XDG_CONFIG_HOME")) {
    return std::string(std::getenv("XDG_CONFIG_HOME")) + "/shunt/config.toml";
  }
  return is_set("HOME") ? std::string(std::getenv("HOME")) + "/.config/shunt/config.toml" : "";
}

// CLI11's own numbers take -1 for a large one.
std::string is_size(const std::string& text) {
  const Result<std::uint64_t> size = parse_size(text);
  return size ? "" : size.error().reason;
}

}  // namespace

std::uint64_t Globals::cache_bytes() const {
  return parse_size(cache_size).value();
}

bool Globals::colored(int fd) const {
  if (color == "always") return true;
  if (color == "never") return false;
  const char* const terminal = std::getenv("TERM");
  return ::isatty(fd) == 1 && !is_set("NO_COLOR") &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

bool Globals::shows_progress() const {
  return !quiet && !json && !no_progress && ::isatty(STDERR_FILENO) == 1;
}

CLI::Option* with_environment(CLI::Option* option) {
  return option->envname(environment_name(option->get_lnames().front()));
}

void add_globals(CLI::App& app, Globals& globals) {
  with_environment(app.add_flag("-q,--quiet", globals.quiet, "Say nothing but errors"));
  with_environment(app.add_flag("-v,--verbose", globals.verbose, "Say more; twice, still more"));
  with_environment(app.add_flag("--json", globals.json, "One JSON document instead of text"));
  with_environment(app.add_option("--color", globals.color, "Colour: auto, always or never")
                       ->check(CLI::IsMember({"auto", "always", "never"}))
                       ->type_name("WHEN"));
  with_environment(app.add_flag("--no-progress", globals.no_progress, "No progress bar"));
  with_environment(
      app.add_option("--cache-dir", globals.cache_dir, "Where the cache lies")->type_name("DIR"));
  with_environment(app.add_option("--cache-size", globals.cache_size,
                                  "How much it may take on disk (10G); 0: no limit")
                       ->check(is_size)
                       ->type_name("SIZE"));
  app.config_formatter(std::make_shared<ConfigBehindEnvironment>());
  app.set_config("--config", config_path(), "Configuration file")->type_name("FILE");
}

}  // namespace shunt::cli
