// shunt fetch: writes ranges of a Source to a file or to standard output.
#include "shunt/fetch/fetch.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <optional>

#include "command.h"
#include "exit_code.h"
#include "fetch_report.h"
#include "output.h"
#include "output_target.h"
#include "progress_bar.h"
#include "schemes.h"
#include "settings.h"
#include "shunt/files/destination.h"
#include "shunt/files/output_name.h"
#include "signals.h"
#include "source_options.h"

namespace shunt::cli {
namespace {

constexpr const char* kFetchDescription =
    "Deliver a remote file, an image layer, or ranges of them; each byte is downloaded once.";
constexpr const char* kFetchFooter =
    "SOURCE is a URL (http:, https:), an image (docker://HOST/REPO[:TAG|@DIGEST],\n"
    "oci:DIR[:TAG|@DIGEST]), a file, or - for standard input. Ranges are delivered in the order\n"
    "given. What was downloaded stays in the cache for the next time.\n"
    "Memory: at most 32 MiB, and 1 MiB for each connection.\n"
    "Exit: 0 done, 1 failed, 2 usage, 4 corrupt or unsupported, 5 network, or --offline and not "
    "in\n"
    "the cache, 6 digest does not match, 7 local I/O, 8 in use, 129, 130,\n"
    "143 and 152 interrupted.";

class Fetch final : public Command {
 public:
  explicit Fetch(CLI::App& parent);

  [[nodiscard]] CLI::App* app() const override { return app_; }
  [[nodiscard]] bool data_on_stdout(const std::string& out) const override {
    return out.empty() || files::is_standard_output(out);
  }
  int run(const Globals& globals) override;

 private:
  Result<void> parse_options(const Globals& globals);
  Result<void> settle_cache(const Settings& settings);
  [[nodiscard]] fetch::Report deliver(source::Session& session);
  [[nodiscard]] fetch::Report to_stream(source::Session& session);
  [[nodiscard]] fetch::Report failed(const Error& error) const;
  [[nodiscard]] std::string if_interrupted(const fetch::Report& report) const;

  CLI::App* app_;
  SourceOptions source_options_;
  bool offline_ = false;
  bool no_cache_ = false;
  std::string out_;
  fetch::Request request_;
  fetch::Options options_;
  SessionSetup session_;
  ProgressBar progress_;
};

Fetch::Fetch(CLI::App& parent) : app_(parent.add_subcommand("fetch", kFetchDescription)) {
  app_->fallthrough();
  app_->footer(kFetchFooter);
  app_->add_option("SOURCE", request_.source, "What to fetch")->required()->type_name("");
  add_output(*app_, out_, "Write to OUT; without it, or with -, standard output");
  source_options_.add_to(*app_, "N|DIGEST", "Layer of an image that has several");
  with_environment(
      app_->add_flag("--offline", offline_, "Make no requests; fail if data is missing"));
  with_environment(app_->add_flag("--no-cache", no_cache_, "Neither read nor fill the cache"));
  app_->add_flag("--force", options_.force, "OUT may replace an existing file");
}

Result<void> Fetch::parse_options(const Globals& globals) {
  SHUNT_ASSIGN(request_.ranges, source_options_.ranges());
  SHUNT_ASSIGN(session_, source_options_.session(globals));
  request_.layer = source_options_.layer;
  SHUNT_TRY(settle_cache(globals.settings));
  session_.options.offline = offline_;
  session_.options.use_cache = !no_cache_;
  if (options_.force && out_ == "-") return usage_error("fetch", "--force goes with -o OUT");
  // Checked before anything is downloaded.
  if (files::output_descriptor(out_)) {
    const Result<io::File> tried = files::open_stream(out_, cancel_token());
    if (!tried) return with_help_hint("fetch", tried.error());
  }
  return {};
}

// Options exclude each other only if they have the same origin: a flag takes precedence over a
// setting.
Result<void> Fetch::settle_cache(const Settings& settings) {
  if (!offline_ || !no_cache_) return {};
  const CLI::Option& offline = *app_->get_option("--offline");
  const CLI::Option& no_cache = *app_->get_option("--no-cache");
  const CLI::Option* const counts = one_that_counts(offline, no_cache);
  if (counts == nullptr) {
    return usage_error("fetch", fmt::format("{} and {} exclude one another", said_as(offline),
                                            said_as(no_cache)))
        .with_path(settings.place_of_second(offline, no_cache));
  }
  (counts == &offline ? no_cache_ : offline_) = false;
  return {};
}

fetch::Report Fetch::failed(const Error& error) const {
  fetch::Report report;
  report.source = request_.source;
  report.error = error;
  return report;
}

std::string Fetch::if_interrupted(const fetch::Report& report) const {
  if (report.kept) return kStaysInCache;
  if (files::names_stream(out_)) return {};
  return out_ + " has not been written";
}

fetch::Report Fetch::to_stream(source::Session& session) {
  Result<io::File> out = files::open_stream(out_, cancel_token());
  if (!out) return failed(out.error());
  fetch::Report report = fetch::to_stream(session, request_, *out, options_);
  if (const Result<void> closed = out->close(); !closed && !report.error) {
    report.error = closed.error();
  }
  return report;
}

fetch::Report Fetch::deliver(source::Session& session) {
  if (files::names_stream(out_)) return to_stream(session);
  return fetch::to_file(session, request_, out_, options_);
}

int Fetch::run(const Globals& globals) {
  if (out_.empty()) out_ = "-";
  const Stream json_stream = files::is_standard_output(out_) ? Stream::kErr : Stream::kOut;
  options_.context.cancel = &cancel_token();
  if (const Result<void> parsed = parse_options(globals); !parsed) {
    print_error(globals, parsed.error(), json_stream);
    return exit_code_of(parsed.error().code, cancel_token());
  }
  progress_.start(globals, "fetching");
  ProgressBar::Part progress(progress_, schemes().shown(request_.source));
  options_.context.progress = progress.progress();
  source::Session session(make_schemes(session_.images), session_.options);
  fetch::Report report = deliver(session);
  progress_.stop();
  if (report.error && report.error->code == ErrorCode::kInterrupted) {
    report.error->hint = if_interrupted(report);
  }
  if (globals.json) {
    print_fetch_json(json_stream, report);
  } else {
    print_fetch_text(globals, report);
  }
  return report.error ? exit_code_of(report.error->code, cancel_token()) : kDone;
}

}  // namespace

std::unique_ptr<Command> make_fetch(CLI::App& parent) {
  return std::make_unique<Fetch>(parent);
}

}  // namespace shunt::cli
