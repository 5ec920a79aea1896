// shunt cache-warm: fetches ranges of Sources into the cache.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "command.h"
#include "exit_code.h"
#include "fetch_report.h"
#include "output.h"
#include "progress_bar.h"
#include "schemes.h"
#include "shunt/base/catching.h"
#include "shunt/base/mutex.h"
#include "shunt/fetch/fetch.h"
#include "signals.h"
#include "source_list.h"
#include "source_options.h"
#include "workers.h"

namespace shunt::cli {
namespace {

using fetch::Request;

constexpr unsigned kMaxSourcesAtOnce = 4;

constexpr const char* kCacheWarmDescription =
    "Fetch remote files and image layers, or ranges of them, into the cache.";
constexpr const char* kCacheWarmFooter =
    "SOURCE is a URL (http:, https:) or an image (docker://HOST/REPO[:TAG|@DIGEST]). Only what "
    "the\n"
    "cache lacks is downloaded; after an interruption the same command goes on.\n"
    "Memory: at most 32 MiB, and 1 MiB for each connection, besides the list of sources.\n"
    "Exit: 0 done, 1 failed, 2 usage, 3 some sources failed, 4 corrupt or unsupported, 5 network,\n"
    "6 digest does not match, 7 local I/O, 8 in use, 129, 130, 143 and\n"
    "152 interrupted.";

fetch::Report failed(const std::string& source, const Error& error) {
  fetch::Report report;
  report.source = source;
  report.error = error;
  return report;
}

// Prints the text of reports in order, each once the previous ones are there.
class InOrder {
 public:
  InOrder(const Globals& globals, std::size_t count)
      : globals_(globals), reports_(count), there_(count) {}

  void add(std::size_t at, fetch::Report report) {
    const Lock lock(mutex_);
    reports_[at] = std::move(report);
    there_[at] = true;
    for (; printed_ < there_.size() && there_[printed_]; ++printed_) show(reports_[printed_]);
  }

  [[nodiscard]] const std::vector<fetch::Report>& reports() const { return reports_; }

 private:
  void show(const fetch::Report& report) {
    // One message for all interrupted ones comes at the end.
    if (globals_.json || (report.error && report.error->code == ErrorCode::kInterrupted)) return;
    print_fetch_text(globals_, report);
  }

  const Globals& globals_;
  Mutex mutex_;
  std::vector<fetch::Report> reports_;
  std::vector<bool> there_;
  std::size_t printed_ = 0;
};

// The result of resolving a SOURCE: its requests, or the error.
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
  [[nodiscard]] Resolved resolve(source::Session& session, const Request& asked) const;
  [[nodiscard]] fetch::Report warm(source::Session& session, const Request& request);
  int warm_all(const Globals& globals, source::Session& session);
  int finish(const Globals& globals, const std::vector<fetch::Report>& reports);

  CLI::App* app_;
  SourceOptions source_options_;
  std::vector<std::string> sources_;
  std::string from_;
  bool head_ = false;
  std::vector<Request> asked_;  // one per SOURCE, with `layer` as typed
  fetch::Options options_;
  SessionSetup session_;
  ProgressBar progress_;
};

CacheWarm::CacheWarm(CLI::App& parent)
    : app_(parent.add_subcommand("cache-warm", kCacheWarmDescription)) {
  app_->fallthrough();
  app_->footer(kCacheWarmFooter);
  app_->add_option("SOURCE", sources_, "What to fetch into the cache")->type_name("");
  app_->add_flag("--head", head_,
                 "What is needed first: the index and first seconds of a video, the table of "
                 "contents of a layer");
  app_->add_option("--from", from_,
                   "Read SOURCEs, and ranges of each, from FILE; - is standard input")
      ->type_name("FILE");
  source_options_.layer = "all";
  source_options_.add_to(*app_, "N|DIGEST|all", "Layer of an image (all)");
}

int fail(const Globals& globals, const Error& error) {
  print_error(globals, error);
  return exit_code_of(error.code, cancel_token());
}

Result<void> CacheWarm::parse_options(const Globals& globals) {
  SHUNT_ASSIGN(const std::vector<RangeText> ranges, source_options_.ranges());
  SHUNT_ASSIGN(session_, source_options_.session(globals));
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
    // Ranges in the list replace those of the command line.
    if (line.ranges.empty()) {
      asked_.push_back({line.source, source_options_.layer, ranges, head_});
    } else {
      asked_.push_back({line.source, "all", line.ranges, false});
    }
  }
  return {};
}

Resolved CacheWarm::resolve(source::Session& session, const Request& asked) const {
  if (const Result<void> go_on = cancel_token().check(); !go_on) return {{}, go_on.error()};
  if (asked.layer != "all") return {{asked}, {}};
  Request request = asked;
  request.layer.clear();
  Result<std::vector<Request>> requests = fetch::each_layer(session, request);
  if (!requests) return {{}, requests.error()};
  return {std::move(*requests), {}};
}

fetch::Report CacheWarm::warm(source::Session& session, const Request& request) {
  if (const Result<void> go_on = cancel_token().check(); !go_on) {
    return failed(request.source, go_on.error());
  }
  ProgressBar::Part progress(progress_, schemes().shown(request.source));
  fetch::Options options = options_;
  options.context.progress = progress.progress();
  return fetch::to_cache(session, request, options);
}

int CacheWarm::warm_all(const Globals& globals, source::Session& session) {
  const unsigned threads = std::min(kMaxSourcesAtOnce, session_.options.jobs);
  std::vector<Resolved> resolved(asked_.size());
  Result<void> all = for_each_number(asked_.size(), threads, [&](std::size_t i) {
    Result<Resolved> made =
        catching([&]() -> Result<Resolved> { return resolve(session, asked_[i]); });
    resolved[i] = made ? std::move(*made) : Resolved{{}, std::move(made).error()};
  });
  if (!all) return fail(globals, all.error());
  // In the given order: a request, or an earlier failure.
  struct Piece {
    const Request* request = nullptr;
    std::optional<Error> error;
  };
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (resolved[i].error) pieces.push_back({&asked_[i], resolved[i].error});
    for (const Request& request : resolved[i].requests) pieces.push_back({&request, {}});
  }
  progress_.expect(pieces.size(), "sources");
  InOrder done(globals, pieces.size());
  all = for_each_number(pieces.size(), threads, [&](std::size_t i) {
    const Piece& piece = pieces[i];
    Result<fetch::Report> report = catching([&]() -> Result<fetch::Report> {
      if (piece.error) return *piece.error;
      return warm(session, *piece.request);
    });
    done.add(i, report ? std::move(*report) : failed(piece.request->source, report.error()));
  });
  progress_.stop();
  if (!all) return fail(globals, all.error());
  return finish(globals, done.reports());
}

int CacheWarm::finish(const Globals& globals, const std::vector<fetch::Report>& reports) {
  std::vector<std::optional<ErrorCode>> outcomes;
  std::size_t stopped = 0;
  for (const fetch::Report& report : reports) {
    outcomes.emplace_back(report.error ? std::optional(report.error->code) : std::nullopt);
    if (outcomes.back() == ErrorCode::kInterrupted) ++stopped;
  }
  const int code = exit_code_for(outcomes, cancel_token());
  if (globals.json) {
    print_warm_json(reports, code);
  } else if (stopped > 0) {
    Error error;
    error.code = ErrorCode::kInterrupted;
    error.reason =
        fmt::format("stopped before {} of {} sources were done", stopped, reports.size());
    if (std::ranges::any_of(reports, &fetch::Report::kept)) error.hint = kStaysInCache;
    print_error(globals, error);
  }
  return code;
}

int CacheWarm::run(const Globals& globals) {
  options_.context.cancel = &cancel_token();
  if (const Result<void> parsed = parse_options(globals); !parsed) {
    return fail(globals, parsed.error());
  }
  // Without a cache the downloads would be useless.
  if (const Result<std::shared_ptr<cache::Cache>> cache = open_cache(globals); !cache) {
    return fail(globals, cache.error());
  }
  if (asked_.empty() && !globals.quiet && !globals.json) {
    print_line(Stream::kErr, fmt::format("{}: no sources: nothing to warm", from_));
  }
  progress_.start(globals, "fetching");
  source::Session session(make_schemes(session_.images), session_.options);
  return warm_all(globals, session);
}

}  // namespace

std::unique_ptr<Command> make_cache_warm(CLI::App& parent) {
  return std::make_unique<CacheWarm>(parent);
}

}  // namespace shunt::cli
