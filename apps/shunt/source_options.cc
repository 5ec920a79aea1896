#include "source_options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "settings.h"
#include "shunt/http/fields.h"
#include "shunt/text/ascii.h"
#include "shunt/text/size_text.h"
#include "signals.h"

namespace shunt::cli {
namespace {

// RFC 9110, 5.6.2 (token) and 5.5 (field values, without the obsolete ones).
bool is_name_of_field(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, http::is_token_character);
}

bool is_value_of_field(std::string_view text) {
  return std::ranges::all_of(text,
                             [](unsigned char c) { return c == '\t' || (c >= ' ' && c != 0x7f); });
}

Result<http::Field> parse_field(std::string_view command, std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view value = ascii::trimmed(text.substr(colon + 1));
    if (is_name_of_field(text.substr(0, colon)) && is_value_of_field(value)) {
      return http::Field{std::string(text.substr(0, colon)), std::string(value)};
    }
  }
  // The text is not repeated, since it may be a secret.
  return usage_error(command, "--header takes NAME:VALUE, in one line");
}

std::string is_field(const std::string& text) {
  return parse_field("", text) ? "" : "it takes NAME:VALUE, in one line";
}

}  // namespace

source::SessionOptions session_options(const Globals& globals) {
  source::SessionOptions options;
  options.cache_dir = globals.cache_dir;
  options.cache_size = globals.cache_bytes();
  options.cancel = &cancel_token();
  return options;
}

Result<std::string> cache_directory(const Globals& globals) {
  return globals.cache_dir.empty() ? cache::default_directory() : globals.cache_dir;
}

Result<std::shared_ptr<cache::Cache>> open_cache(const Globals& globals) {
  SHUNT_ASSIGN(const std::string directory, cache_directory(globals));
  return cache::Cache::open(directory, globals.cache_bytes(), &cancel_token());
}

Error usage_error(std::string_view command, std::string_view reason) {
  return usage(reason).with_hint(fmt::format("see 'shunt {} --help'", command));
}

Error with_help_hint(std::string_view command, Error error) {
  return error.code == ErrorCode::kUsage ? usage_error(command, error.reason) : error;
}

Result<unsigned> parse_jobs(std::string_view command, std::string_view text) {
  constexpr unsigned kMost = 64;
  const Result<std::uint64_t> jobs = parse_size(text);
  if (jobs && *jobs > 0 && *jobs <= kMost) return static_cast<unsigned>(*jobs);
  return usage_error(command, fmt::format("--jobs takes a number from 1 to {}", kMost));
}

std::string is_jobs(const std::string& text) {
  return parse_jobs("", text) ? "" : "it takes a number from 1 to 64, not '" + text + "'";
}

void SourceOptions::add_to(CLI::App& app, const char* layer_type, const char* layer_text) {
  app_ = &app;
  // One value each, so that a following word is a SOURCE.
  app.add_option("--range", ranges_, "START-END, START+LENGTH, START- or -LAST; may be repeated")
      ->type_name("RANGE")
      ->allow_extra_args(false);
  app.add_option("--layer", layer, layer_text)->type_name(layer_type);
  with_environment(
      app.add_option("--platform", platform_, "Platform of an image: OS/ARCH[/VARIANT]")
          ->check([](const std::string& text) {
            const auto parsed = oci::parse_platform(text);
            return parsed ? std::string() : parsed.error().reason;
          })
          ->type_name("PLATFORM"));
  with_environment(app.add_option("--jobs", jobs_, "Connections at once, 1 to 64 (8)")
                       ->check(is_jobs)
                       ->type_name("N"));
  with_environment(app.add_option("--header", headers_, "Request field NAME:VALUE; may be repeated")
                       ->check(is_field)
                       ->type_name("K:V")
                       ->allow_extra_args(false));
  with_environment(app.add_flag("--plain-http", plain_http_, "Connect to registries without TLS"));
  with_environment(
      app.add_option("--authfile", authfile_, "Credentials for registries")->type_name("FILE"));
  with_environment(
      app.add_option("--max-rate", max_rate_, "Bytes per second in total; 0: no limit (0)")
          ->check(is_size)
          ->type_name("SIZE"));
}

Result<SessionSetup> SourceOptions::session(const Globals& globals) const {
  const std::string command = app_->get_name();
  SessionSetup setup{session_options(globals), {}};
  source::SessionOptions& options = setup.options;
  SHUNT_ASSIGN(options.jobs, parse_jobs(command, jobs_));
  SHUNT_ASSIGN(options.max_rate, parse_size(max_rate_));
  for (const std::string& header : headers_) {
    SHUNT_ASSIGN(http::Field field, parse_field(command, header));
    options.fields.push_back(std::move(field));
  }
  if (!platform_.empty()) {
    SHUNT_ASSIGN(setup.images.platform, oci::parse_platform(platform_));
  }
  setup.images.plain_http = plain_http_;
  setup.images.authfile = authfile_;
  return setup;
}

Result<std::vector<RangeText>> SourceOptions::ranges() const {
  std::vector<RangeText> parsed;
  for (const std::string& text : ranges_) {
    SHUNT_ASSIGN(const RangeText range, parse_range(text));
    parsed.push_back(range);
  }
  return parsed;
}

}  // namespace shunt::cli
