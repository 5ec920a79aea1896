// The options by which remote Sources are opened, and what they come to.
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

// What a source::Session is made of.
struct SessionSetup {
  source::SessionOptions options;
  source::OciOptions images;
};

// What every command that opens Sources hands on: the cache of the global options, and the token of
// the signals.
[[nodiscard]] source::SessionOptions session_options(const Globals& globals);

// The cache of the global options; made where it is not there.
[[nodiscard]] Result<std::string> cache_directory(const Globals& globals);
[[nodiscard]] Result<std::shared_ptr<cache::Cache>> open_cache(const Globals& globals);

// The hint of a download that was asked to stop.
inline constexpr const char* kStaysInCache =
    "what has come stays in the cache; run it again to go on";

// "see 'shunt COMMAND --help'" comes with it.
[[nodiscard]] Error usage_error(std::string_view command, std::string_view reason);
// Adds that hint to an error of the library that is kUsage; others stay as they are.
[[nodiscard]] Error with_help_hint(std::string_view command, Error error);

// A check of the value of --jobs: the reason where it is none.
[[nodiscard]] std::string is_jobs(const std::string& text);
// The value of --jobs; kUsage.
[[nodiscard]] Result<unsigned> parse_jobs(std::string_view command, std::string_view text);

// What `fetch` and `cache-warm` share, as it was typed.
class SourceOptions {
 public:
  // Adds --range, --layer, --platform, --jobs, --header, --plain-http, --authfile and --max-rate.
  void add_to(CLI::App& app, const char* layer_type, const char* layer_text);

  // What was typed; kUsage.
  [[nodiscard]] Result<SessionSetup> session(const Globals& globals) const;
  [[nodiscard]] Result<std::vector<RangeText>> ranges() const;

  std::string layer;

 private:
  CLI::App* app_ = nullptr;  // of whoever added them
  std::vector<std::string> ranges_;
  std::vector<std::string> headers_;
  std::string platform_;
  std::string jobs_ = "8";
  std::string max_rate_ = "0";
  std::string authfile_;
  bool plain_http_ = false;
};

}  // namespace shunt::cli
