// shunt cache-warm: brings ranges of Sources into the cache.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "command.h"
#include "exit_code.h"
#include "fetch/fetch.h"
#include "fetch_report.h"
#include "output.h"
#include "signals.h"
#include "source_list.h"
#include "source_options.h"
#include "sources_progress.h"
#include "workers.h"

namespace shunt::cli {
namespace {

using fetch::Request;

constexpr unsigned kMaxSourcesAtOnce = 4;

constexpr const char* kCacheWarmDescription =
    "Bring remote files and image layers, or ranges of them, into the cache.";
constexpr const char* kCacheWarmFooter =
    "SOURCE is a URL (http:, https:) or an image (docker://HOST/REPO[:TAG|@DIGEST]). Only what "
    "the\n"
    "cache lacks is downloaded; after an interruption the same command goes on.\n"
    "Memory: at most 32 MiB, and 1 MiB for each connection, besides the list of sources.\n"
    "Exit: 0 done, 1 failed, 2 usage, 3 some sources failed, 4 corrupt or unsupported, 5 network,\n"
    "6 digest does not match, 7 local I/O, 8 in use, 129, 130 and 143\n"
    "interrupted.";

fetch::Report failed(const std::string& source, const Error& error) {
  fetch::Report report;
  report.source = source;
  report.error = error;
  return report;
}

// Prints the text of reports in their order, each as soon as those before it are there.
class InOrder {
 public:
  InOrder(const Globals& globals, SourcesProgress& progress, std::size_t count)
      : globals_(globals), progress_(progress), reports_(count), there_(count) {}

  void add(std::size_t at, fetch::Report report) {
    const std::lock_guard lock(mutex_);
    reports_[at] = std::move(report);
    there_[at] = true;
    for (; printed_ < there_.size() && there_[printed_]; ++printed_) show(reports_[printed_]);
  }

  [[nodiscard]] const std::vector<fetch::Report>& reports() const { return reports_; }

 private:
  void show(const fetch::Report& report) {
    // One word for all that were stopped comes at the end.
    if (globals_.json || (report.error && report.error->code == ErrorCode::kInterrupted)) return;
    progress_.clear();
    print_fetch_text(globals_, report);
  }

  const Globals& globals_;
  SourcesProgress& progress_;
  std::mutex mutex_;
  std::vector<fetch::Report> reports_;
  std::vector<bool> there_;
  std::size_t printed_ = 0;
};

// What one SOURCE has become: requests, or why there are none.
struct Resolved {
  std::vector<Request> requests;
  std::optional<Error> error;
};

class CacheWarm final : public Command {
 public:
  explicit CacheWarm(CLI::App& parent);

  [[nodiscard]] CLI::App* app() const override { return app_; }
  int run(const Globals& globals) override;

 private:
  Result<void> parse_options(const Globals& globals);
  [[nodiscard]] Resolved resolve(fetch::Session& session, const Request& asked) const;
  [[nodiscard]] fetch::Report warm(fetch::Session& session, const Request& request);
  int warm_all(const Globals& globals, fetch::Session& session);
  int finish(const Globals& globals, const std::vector<fetch::Report>& reports);

  CLI::App* app_;
  SourceOptions source_options_;
  std::vector<std::string> sources_;
  std::string from_;
  bool head_ = false;
  std::vector<Request> asked_;  // one a SOURCE; `layer` as it was typed
  fetch::Options options_;
  fetch::SessionOptions session_options_;
  bool shows_progress_ = false;
  SourcesProgress progress_;
};

CacheWarm::CacheWarm(CLI::App& parent)
    : app_(parent.add_subcommand("cache-warm", kCacheWarmDescription)) {
  app_->fallthrough();
  app_->footer(kCacheWarmFooter);
  app_->get_formatter()->column_width(26);
  app_->add_option("SOURCE", sources_, "What to bring into the cache")->type_name("");
  app_->add_flag("--head", head_, "What is needed first: of a video index and first seconds");
  app_->add_option("--from", from_,
                   "Read SOURCEs, and ranges of each, from FILE; - is standard input")
      ->type_name("FILE");
  source_options_.layer = "all";
  source_options_.add_to(*app_, "N|DIGEST|all", "Of an image (all)");
}

Result<void> CacheWarm::parse_options(const Globals& globals) {
  SHUNT_ASSIGN(const std::vector<RangeText> ranges, source_options_.ranges());
  SHUNT_ASSIGN(session_options_, source_options_.session(globals));
  for (const std::string& source : sources_) {
    if (source == "-") return usage_error("cache-warm", "standard input cannot be a source here");
    asked_.push_back({source, source_options_.layer, ranges, head_});
  }
  if (from_.empty()) {
    if (asked_.empty()) return usage_error("cache-warm", "a SOURCE or --from is required");
    return {};
  }
  SHUNT_ASSIGN(const std::vector<ListedSource> listed, read_source_list(from_, cancel_token()));
  for (const ListedSource& line : listed) {
    // Ranges of its own stand in place of all that the command line says.
    if (line.ranges.empty()) {
      asked_.push_back({line.source, source_options_.layer, ranges, head_});
    } else {
      asked_.push_back({line.source, "all", line.ranges, false});
    }
  }
  return {};
}

Resolved CacheWarm::resolve(fetch::Session& session, const Request& asked) const {
  if (const Result<void> go_on = cancel_token().check(); !go_on) return {{}, go_on.error()};
  if (asked.layer != "all") return {{asked}, {}};
  Request request = asked;
  request.layer.clear();
  Result<std::vector<Request>> requests = fetch::each_layer(session, request);
  if (!requests) return {{}, requests.error()};
  return {std::move(*requests), {}};
}

fetch::Report CacheWarm::warm(fetch::Session& session, const Request& request) {
  if (const Result<void> go_on = cancel_token().check(); !go_on) {
    return failed(request.source, go_on.error());
  }
  SourcesProgress::Part progress(progress_, fetch::shown_name(request.source));
  fetch::Options options = options_;
  if (shows_progress_) options.progress = &progress;
  return fetch::to_cache(session, request, options);
}

int CacheWarm::warm_all(const Globals& globals, fetch::Session& session) {
  const unsigned threads = std::min(kMaxSourcesAtOnce, session_options_.jobs);
  std::vector<Resolved> resolved(asked_.size());
  for_each_number(asked_.size(), threads,
                  [&](std::size_t i) { resolved[i] = resolve(session, asked_[i]); });
  // In the order given: what is to be done, and what has failed already.
  struct Piece {
    const Request* request = nullptr;
    std::optional<Error> error;
  };
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (resolved[i].error) pieces.push_back({&asked_[i], resolved[i].error});
    for (const Request& request : resolved[i].requests) pieces.push_back({&request, {}});
  }
  progress_.expect(pieces.size());
  InOrder done(globals, progress_, pieces.size());
  for_each_number(pieces.size(), threads, [&](std::size_t i) {
    const Piece& piece = pieces[i];
    done.add(i, piece.error ? failed(piece.request->source, *piece.error)
                            : warm(session, *piece.request));
  });
  progress_.clear();
  return finish(globals, done.reports());
}

int CacheWarm::finish(const Globals& globals, const std::vector<fetch::Report>& reports) {
  std::vector<std::optional<ErrorCode>> outcomes;
  std::size_t stopped = 0;
  for (const fetch::Report& report : reports) {
    outcomes.emplace_back(report.error ? std::optional(report.error->code) : std::nullopt);
    if (outcomes.back() == ErrorCode::kInterrupted) ++stopped;
  }
  if (globals.json) {
    print_warm_json(reports);
  } else if (stopped > 0) {
    Error error;
    error.code = ErrorCode::kInterrupted;
    error.reason =
        fmt::format("stopped before {} of {} sources were done", stopped, reports.size());
    error.hint = "what has come stays in the cache; run it again to go on";
    print_error(globals, error);
  }
  return exit_code_for(outcomes, cancel_token());
}

int CacheWarm::run(const Globals& globals) {
  options_.cancel = &cancel_token();
  shows_progress_ = globals.shows_progress();
  if (const Result<void> parsed = parse_options(globals); !parsed) {
    print_error(globals, parsed.error());
    return exit_code_of(parsed.error().code, cancel_token());
  }
  // Without a cache the bytes would be downloaded for nothing.
  if (const Result<std::shared_ptr<cache::Cache>> cache = open_cache(globals); !cache) {
    print_error(globals, cache.error());
    return exit_code_of(cache.error().code, cancel_token());
  }
  fetch::Session session(session_options_);
  return warm_all(globals, session);
}

}  // namespace

std::unique_ptr<Command> make_cache_warm(CLI::App& parent) {
  return std::make_unique<CacheWarm>(parent);
}

}  // namespace shunt::cli
