// shunt faststart: options and reports.
#include "shunt/faststart/faststart.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <vector>

#include "command.h"
#include "exit_code.h"
#include "faststart_check.h"
#include "faststart_input.h"
#include "faststart_report.h"
#include "nearest.h"
#include "output.h"
#include "output_target.h"
#include "progress_bar.h"
#include "schemes.h"
#include "settings.h"
#include "shunt/base/catching.h"
#include "shunt/base/mutex.h"
#include "shunt/files/destination.h"
#include "shunt/files/output_name.h"
#include "shunt/io/duplicate.h"
#include "shunt/source/session.h"
#include "shunt/text/size_text.h"
#include "signals.h"
#include "source_options.h"
#include "workers.h"

namespace shunt::cli {
namespace {

using faststart::Report;
using faststart::Status;

constexpr const char* kFaststartDescription =
    "Put the moov box of MP4 and QuickTime files in front of the media, in place.";
constexpr const char* kFaststartFooter =
    "Without -o each FILE is changed in place: whatever happens, the next run or --recover "
    "restores\n"
    "the original or completes the result. With -o the result is a new file, or a stream,\n"
    "and FILE may also be a URL or an image layer, which is read through the cache.\n"
    "Memory: at most 32 MiB for each file at work, besides what --verify takes, and 1 MiB for "
    "each\n"
    "connection.\n"
    "Exit: 0 done, 1 no (--check) or failed, 2 usage, 3 some files failed, 4 corrupt or "
    "unsupported,\n"
    "5 network, 6 packets differ, 7 local I/O or not possible here, 8 in use, 129, 130, 143 and\n"
    "152 interrupted.";

constexpr std::uint64_t kMostPadding = UINT32_MAX - 8;

std::string is_padding(const std::string& text) {
  if (std::string wrong = is_size(text); !wrong.empty()) return wrong;
  return parse_size(text).value() > kMostPadding ? "it must be below 4 GiB" : "";
}

class Faststart final : public Command {
 public:
  explicit Faststart(CLI::App& parent);

  [[nodiscard]] CLI::App* app() const override { return app_; }
  [[nodiscard]] bool data_on_stdout(const std::string& out) const override {
    return files::is_standard_output(out) && !options_.dry_run;
  }
  int run(const Globals& globals) override;

 private:
  Result<void> parse_options(const Globals& globals);
  Result<void> settle_strategy(const Settings& settings);
  int run_output(const Globals& globals);
  int run_files(const Globals& globals);
  [[nodiscard]] Report output_one(FaststartInput& input);
  [[nodiscard]] Report to_stream(FaststartInput& input);
  [[nodiscard]] Report from_stdin_to(io::File& out);

  CLI::App* app_;
  std::vector<std::string> files_;
  std::string out_;
  std::string layer_;
  bool check_ = false;
  std::string strategy_ = "auto";
  std::string padding_ = "0";
  std::string jobs_text_ = "1";
  unsigned jobs_ = 1;
  faststart::Options options_;
  ProgressBar progress_;
};

// Returns the values of --strategy.
std::vector<std::string> strategy_names() {
  std::vector<std::string> names{"auto"};
  for (const faststart::Strategy* const strategy : faststart::all_strategies()) {
    names.emplace_back(strategy->name());
  }
  return names;
}

Faststart::Faststart(CLI::App& parent)
    : app_(parent.add_subcommand("faststart", kFaststartDescription)) {
  app_->fallthrough();
  app_->footer(kFaststartFooter);
  app_->add_option("FILE", files_,
                   "Files to change in place; with -o one SOURCE, - for standard input")
      ->required()
      ->type_name("");
  add_output(*app_, out_, "Write to OUT instead; - is standard output");
  app_->add_option("--layer", layer_, "Layer of an image SOURCE that has several")
      ->type_name("N|DIGEST");
  app_->add_flag("--check", check_, "Only check: exit 0 if every file has moov in front, else 1");
  app_->add_flag("-n,--dry-run", options_.dry_run, "Print the plan and its cost; change nothing");
  with_environment(app_->add_option("--strategy", strategy_,
                                    fmt::format("{} (auto)", alternatives(strategy_names())))
                       ->check(one_of(strategy_names()))
                       ->type_name("NAME"));
  with_environment(app_->add_flag("--keep-inode", options_.keep_inode,
                                  "Never replace FILE by a new file: reserve, insert or shift"));
  with_environment(app_->add_flag("--verify", options_.verify,
                                  "Compare every packet before and after (libavformat)"));
  app_->add_flag("--recover", options_.recover_only, "Only finish or undo an interrupted run");
  with_environment(
      app_->add_option("--padding", padding_, "Room to leave behind moov for later edits (0)")
          ->check(is_padding)
          ->type_name("SIZE"));
  with_environment(app_->add_option("--jobs", jobs_text_, "Work on N files at once, 1 to 64 (1)")
                       ->check(is_jobs)
                       ->type_name("N"));
  app_->add_flag("--preserve-times", options_.preserve_times, "Keep the time of modification");
  app_->add_flag("--force", options_.force, "OUT may replace an existing file");
}

// Options exclude each other only if they have the same origin: a flag takes precedence over a
// setting.
Result<void> Faststart::settle_strategy(const Settings& settings) {
  if (strategy_ != "auto") options_.strategy = faststart::strategy_named(strategy_);
  const CLI::Option& strategy = *app_->get_option("--strategy");
  if (!out_.empty() && options_.strategy != nullptr &&
      origin_of(strategy) != Origin::kCommandLine) {
    const bool stream = files::names_stream(out_) || files_.front() == "-";
    const bool in_order = options_.strategy->goes_into_streams();
    // Remote data has no extents to share until it is in the cache.
    const bool local = schemes().is_file(files_.front());
    const bool possible = stream || !local ? in_order : !options_.strategy->keeps_inode();
    if (!possible) options_.strategy = nullptr;
  }
  if (!options_.keep_inode || options_.strategy == nullptr || options_.strategy->keeps_inode()) {
    return {};
  }
  const CLI::Option& keep_inode = *app_->get_option("--keep-inode");
  const CLI::Option* const counts = one_that_counts(strategy, keep_inode);
  if (counts == nullptr) {
    return usage_error("faststart", fmt::format("{} {} makes a new file, which {} excludes",
                                                said_as(strategy), strategy_, said_as(keep_inode)))
        .with_path(settings.place_of_second(strategy, keep_inode));
  }
  if (counts == &strategy) {
    options_.keep_inode = false;
  } else {
    options_.strategy = nullptr;
  }
  return {};
}

Result<void> Faststart::parse_options(const Globals& globals) {
  SHUNT_TRY(settle_strategy(globals.settings));
  SHUNT_ASSIGN(options_.padding, parse_size(padding_));
  SHUNT_ASSIGN(jobs_, parse_jobs("faststart", jobs_text_));
  if (check_ + options_.dry_run + options_.recover_only > 1) {
    return usage_error("faststart", "--check, --dry-run and --recover exclude one another");
  }
  if (!layer_.empty() && out_.empty() && !check_) {
    return usage_error("faststart", "--layer goes with -o or --check");
  }
  if (options_.preserve_times) {
    if (!out_.empty() && files::names_stream(out_)) {
      return usage_error("faststart", "--preserve-times: a stream has no time of modification");
    }
    if (!out_.empty() && !schemes().is_file(files_.front())) {
      return usage_error("faststart", "--preserve-times is for local files");
    }
  }
  if (!out_.empty()) {
    if (files_.size() > 1) return usage_error("faststart", "-o takes one SOURCE");
    if (check_ || options_.recover_only)
      return usage_error("faststart", "-o goes with neither --check nor --recover");
  } else {
    for (const std::string& file : files_) {
      if (check_) break;
      if (file == "-") return usage_error("faststart", "standard input needs -o");
      SHUNT_TRY(schemes().find(file));
      if (schemes().is_file(file)) continue;
      Error error = usage_error("faststart", "a remote source cannot be changed in place");
      error.path = schemes().shown(file);
      error.hint = "write the result to a file or stream, with -o OUT";
      return error;
    }
    if (options_.force) return usage_error("faststart", "--force goes with -o");
  }
  return {};
}

int Faststart::run(const Globals& globals) {
  options_.context.cancel = &cancel_token();
  if (Result<void> parsed = parse_options(globals); !parsed) {
    print_error(globals, parsed.error(), data_on_stdout(out_) ? Stream::kErr : Stream::kOut);
    return exit_code_of(parsed.error().code, cancel_token());
  }
  progress_.start(globals, check_ ? "looking" : "reading");
  if (check_) {
    const int code = check_faststart(globals, files_, layer_);
    progress_.stop();
    return code;
  }
  return out_.empty() ? run_files(globals) : run_output(globals);
}

// ---- in place -----------------------------------------------------------------------------------

// Groups the names of each file by device and inode, so that a file is never processed twice at
// once. A name that cannot be examined stands alone; its own run reports the error.
std::vector<std::vector<std::size_t>> group_names(const std::vector<std::string>& files) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::pair<dev_t, ino_t>, std::size_t> known;
  for (std::size_t i = 0; i < files.size(); ++i) {
    struct stat status {};
    if (::stat(files[i].c_str(), &status) != 0) {
      groups.push_back({i});
      continue;
    }
    const auto [at, added] = known.try_emplace({status.st_dev, status.st_ino}, groups.size());
    if (added) {
      groups.push_back({i});
    } else {
      groups[at->second].push_back(i);
    }
  }
  return groups;
}

int Faststart::run_files(const Globals& globals) {
  std::vector<FetchedReport> reports(files_.size());
  const auto groups = group_names(files_);
  Mutex printing;
  progress_.expect(files_.size(), "files");
  const Result<void> all = for_each_number(groups.size(), jobs_, [&](std::size_t g) {
    for (const std::size_t i : groups[g]) {
      if (const Result<void> go_on = cancel_token().check(); !go_on) {
        reports[i].report =
            failed_faststart(files_[i], go_on.error().with_hint("the file is unchanged"));
        continue;
      }
      Result<Report> report = catching([&]() -> Result<Report> {
        ProgressBar::Part progress(progress_, files_[i]);
        faststart::Options options = options_;
        options.context.progress = progress.progress();
        return faststart::run_in_place(files_[i], options);
      });
      reports[i].report = report ? std::move(*report) : failed_faststart(files_[i], report.error());
      if (std::optional<Error>& error = reports[i].report.error) {
        error = schemes().with_guess(*error, files_[i]);
      }
      if (globals.json) continue;
      const Lock lock(printing);
      print_faststart_text(globals, reports[i]);
    }
  });
  progress_.stop();
  if (!all) {
    print_error(globals, all.error());
    return exit_code_of(all.error().code, cancel_token());
  }
  if (globals.json) print_faststart_json(Stream::kOut, reports);
  return exit_code_of_faststart(reports);
}

// ---- elsewhere ----------------------------------------------------------------------------------

Report Faststart::from_stdin_to(io::File& out) {
  io::Counters counters;
  Result<io::File> in = io::duplicate(STDIN_FILENO, "-", "read", &counters);
  if (!in) return failed_faststart("-", in.error());
  in->set_cancel(&cancel_token());
  return faststart::run_from_pipe(*in, out, options_);
}

// Reports errors in the source before waiting for the reader of a FIFO.
Report Faststart::to_stream(FaststartInput& input) {
  const std::string& name = files_.front();
  const auto failed = [&](const Error& error) {
    return failed_faststart(schemes().shown(name), error);
  };
  if (const Result<void> may = faststart::check_writes_in_order(options_); !may) {
    return failed(with_help_hint("faststart", may.error()));
  }
  io::Counters counters;
  io::SourcePtr source;  // null: standard input
  if (name != "-") {
    Result<io::SourcePtr> opened = input.open(name, faststart::Reading::kWholeFile, &counters);
    if (!opened) return failed(opened.error());
    source = std::move(*opened);
    options_.context.progress = input.progress(options_.context.progress);
  }
  io::File out;  // not open in a dry run
  if (!options_.dry_run) {
    Result<io::File> opened = files::open_stream(out_, cancel_token());
    if (!opened) return failed(with_help_hint("faststart", opened.error()));
    out = std::move(*opened);
  }
  Report report =
      source == nullptr ? from_stdin_to(out) : faststart::run_to_stream(source, out, options_);
  if (Result<void> closed = out.close(); !closed && report.status != Status::kFailed) {
    report.status = Status::kFailed;
    report.error = closed.error();
  }
  return report;
}

Report Faststart::output_one(FaststartInput& input) {
  if (files::names_stream(out_)) return to_stream(input);
  io::Counters counters;
  const auto source = input.open(files_.front(), faststart::Reading::kWholeFile, &counters);
  if (!source) return failed_faststart(schemes().shown(files_.front()), source.error());
  options_.context.progress = input.progress(options_.context.progress);
  Report report = faststart::run_to_file(*source, out_, options_);
  if (files_.front() == "-") report.bytes_read += counters.bytes_read;
  return report;
}

int Faststart::run_output(const Globals& globals) {
  FaststartInput input(globals, layer_);
  ProgressBar::Part progress(progress_, schemes().shown(files_.front()));
  options_.context.progress = progress.progress();
  FetchedReport done{output_one(input)};
  done.fetched = input.fetched();
  progress_.stop();
  if (Report& report = done.report; report.error && schemes().uses_cache(files_.front()) &&
                                    report.error->code == ErrorCode::kInterrupted) {
    report.error->hint = kStaysInCache;
  }
  if (globals.json) {
    print_faststart_json(data_on_stdout(out_) ? Stream::kErr : Stream::kOut, {done});
  } else {
    print_faststart_text(globals, done);
  }
  return exit_code_of_faststart({done});
}

}  // namespace

std::unique_ptr<Command> make_faststart(CLI::App& parent) {
  return std::make_unique<Faststart>(parent);
}

}  // namespace shunt::cli
