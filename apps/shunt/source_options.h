// The options for remote Sources, and their values.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli_fwd.h"
#include "globals.h"
#include "schemes.h"
#include "shunt/base/result.h"
#include "shunt/cache/cache.h"
#include "shunt/source/session.h"
#include "shunt/text/range_text.h"

namespace shunt::cli {

// The parameters of a source::Session.
struct SessionSetup {
  source::SessionOptions options;
  source::OciOptions images;
};

// Returns what every command passes to open Sources: the cache of the global options, and the
// cancel token of the signals.
[[nodiscard]] source::SessionOptions session_options(const Globals& globals);

// Return the cache of the global options; open_cache creates it if it does not exist.
[[nodiscard]] Result<std::string> cache_directory(const Globals& globals);
[[nodiscard]] Result<std::shared_ptr<cache::Cache>> open_cache(const Globals& globals);

// The hint of a download that was interrupted.
inline constexpr const char* kStaysInCache =
    "what was downloaded stays in the cache; run again to continue";

// Returns a kUsage error with the hint "see 'shunt COMMAND --help'".
[[nodiscard]] Error usage_error(std::string_view command, std::string_view reason);
// Adds that hint to `error` if it is kUsage.
[[nodiscard]] Error with_help_hint(std::string_view command, Error error);

// Checks a value of --jobs: returns the reason if it is not valid.
[[nodiscard]] std::string is_jobs(const std::string& text);
// Returns the value of --jobs, or kUsage.
[[nodiscard]] Result<unsigned> parse_jobs(std::string_view command, std::string_view text);

// The options that `fetch` and `cache-warm` share, as typed.
class SourceOptions {
 public:
  // Adds --range, --layer, --platform, --jobs, --header, --plain-http, --authfile and --max-rate.
  void add_to(CLI::App& app, const char* layer_type, const char* layer_text);

  // Return the parsed options, or kUsage.
  [[nodiscard]] Result<SessionSetup> session(const Globals& globals) const;
  [[nodiscard]] Result<std::vector<RangeText>> ranges() const;

  std::string layer;

 private:
  CLI::App* app_ = nullptr;  // of the command that added them
  std::vector<std::string> ranges_;
  std::vector<std::string> headers_;
  std::string platform_;
  std::string jobs_ = "8";
  std::string max_rate_ = "0";
  std::string authfile_;
  bool plain_http_ = false;
};

}  // namespace shunt::cli
