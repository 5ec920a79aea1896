// The options that all subcommands share.
#pragma once

#include <cstdint>
#include <string>

#include "cli_fwd.h"
#include "settings.h"

namespace shunt::cli {

struct Globals {
  bool quiet = false;
  int verbose = 0;
  bool json = false;
  std::string color = "auto";
  bool no_progress = false;
  std::string cache_dir;
  std::string cache_size = "10G";
  std::string config;  // configuration file; empty: the default one
  Settings settings;   // set by apply_settings()

  // The budget of the cache in bytes; 0: no limit. The option has been checked.
  [[nodiscard]] std::uint64_t cache_bytes() const;
  // Returns true if descriptor `fd` gets colours.
  [[nodiscard]] bool colored(int fd) const;
  // Returns true if a progress bar may be drawn on standard error.
  [[nodiscard]] bool shows_progress() const;
};

// Adds the global options to `app`.
void add_globals(CLI::App& app, Globals& globals);

// Of options that exclude each other, keeps the one that takes precedence. Call after
// apply_settings().
void settle_globals(const CLI::App& app, Globals& globals);

// Checks an option's value: returns the reason if it is not a size (text/size_text.h).
[[nodiscard]] std::string is_size(const std::string& text);

}  // namespace shunt::cli
