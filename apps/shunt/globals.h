// The options that every subcommand shares.
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
  std::string config;  // the file; empty: the usual one
  Settings settings;   // once they are applied

  // The cache's budget in bytes; 0: no limit. What the option was given is a size.
  [[nodiscard]] std::uint64_t cache_bytes() const;
  // Whether to use colour on descriptor `fd`.
  [[nodiscard]] bool colored(int fd) const;
  // Whether a progress bar may be drawn on standard error.
  [[nodiscard]] bool shows_progress() const;
};

// Adds the global options to `app`.
void add_globals(CLI::App& app, Globals& globals);

// Of those that exclude one another, leaves the one that counts. To be called once the settings
// have been applied.
void settle_globals(const CLI::App& app, Globals& globals);

// A check of an option's value: the reason where it is no size (text/size_text.h).
[[nodiscard]] std::string is_size(const std::string& text);

}  // namespace shunt::cli
