// shunt cache: shows what is in the cache, and decides what to keep.
#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <set>

#include "cache_report.h"
#include "command.h"
#include "exit_code.h"
#include "output.h"
#include "progress_bar.h"
#include "schemes.h"
#include "shunt/cache/cache.h"
#include "shunt/source/session.h"
#include "shunt/text/size_text.h"
#include "signals.h"
#include "source_options.h"

namespace shunt::cli {
namespace {

using cache::EntryStatus;
using CachePtr = std::shared_ptr<cache::Cache>;

constexpr const char* kCacheDescription = "List, verify and manage what is in the cache.";
constexpr const char* kCacheFooter =
    "Memory: at most 32 MiB, besides the list of entries.\n"
    "Exit: 0 done, 1 failed, 2 usage, 3 some failed, 6 corrupt entry (verify), 7 local I/O,\n"
    "8 in use, 129, 130, 143 and 152 interrupted.";

class CacheCommand final : public Command {
 public:
  explicit CacheCommand(CLI::App& parent);

  [[nodiscard]] CLI::App* app() const override { return app_; }
  int run(const Globals& globals) override;

 private:
  CLI::App* add(const char* name, const char* description, Result<int> (CacheCommand::*work)());
  void add_names(CLI::App& sub, const char* text, bool required);

  Result<int> list();
  Result<int> stat();
  Result<int> verify();
  Result<int> collect();
  Result<int> remove();
  Result<int> pin();
  Result<int> unpin();

  Result<void> open();
  [[nodiscard]] Verified verify_one(const EntryStatus& entry);
  int change(const char* done, const std::function<Result<void>(const std::string& key)>& work);

  CLI::App* app_;
  struct Part {
    CLI::App* app;
    Result<int> (CacheCommand::*work)();
  };
  std::vector<Part> parts_;
  std::vector<std::string> names_;
  std::string max_size_;
  ProgressBar progress_;

  // Valid while it runs.
  const Globals* globals_ = nullptr;
  std::string directory_;
  CachePtr cache_;  // null if the directory does not exist
  std::vector<EntryStatus> entries_;
};

CacheCommand::CacheCommand(CLI::App& parent)
    : app_(parent.add_subcommand("cache", kCacheDescription)) {
  app_->fallthrough();
  app_->footer(kCacheFooter);
  app_->require_subcommand(1);
  add("ls", "List entries, most recently used first", &CacheCommand::list);
  add("stat", "Print totals", &CacheCommand::stat);
  CLI::App* const verify =
      add("verify", "Read entries and compare every block and digest", &CacheCommand::verify);
  add_names(*verify, "Entries to verify (all)", false);
  CLI::App* const gc = add("gc", "Remove the least recently used entries", &CacheCommand::collect);
  gc->add_option("--max-size", max_size_, "Until the rest takes at most SIZE on disk")
      ->required()
      ->check(is_size)
      ->type_name("SIZE");
  add_names(*add("rm", "Remove entries", &CacheCommand::remove), "Entries to remove", true);
  add_names(*add("pin", "Protect entries from eviction", &CacheCommand::pin), "Entries to pin",
            true);
  add_names(*add("unpin", "Allow entries to be evicted again", &CacheCommand::unpin),
            "Entries to unpin", true);
}

CLI::App* CacheCommand::add(const char* name, const char* description,
                            Result<int> (CacheCommand::*work)()) {
  CLI::App* const sub = app_->add_subcommand(name, description);
  sub->fallthrough();
  parts_.push_back({sub, work});
  return sub;
}

void CacheCommand::add_names(CLI::App& sub, const char* text, bool required) {
  sub.add_option("SOURCE|DIGEST", names_, text)->required(required)->type_name("");
}

int CacheCommand::run(const Globals& globals) {
  globals_ = &globals;
  progress_.start(globals, "looking");
  const auto part = std::ranges::find_if(parts_, [](const Part& p) { return p.app->parsed(); });
  const auto work = [&]() -> Result<int> {
    SHUNT_TRY(open());
    return (this->*part->work)();
  };
  const Result<int> code = work();
  progress_.stop();
  if (code) return *code;
  print_error(globals, code.error());
  return exit_code_of(code.error().code, cancel_token());
}

Result<void> CacheCommand::open() {
  SHUNT_ASSIGN(directory_, cache_directory(*globals_));
  // Commands that only look must not create the directory.
  if (::faccessat(AT_FDCWD, (directory_ + "/.").c_str(), R_OK | X_OK, AT_EACCESS) != 0) {
    if (errno == ENOENT) return {};
    return system_error(errno, directory_, "open directory");
  }
  SHUNT_ASSIGN(cache_, open_cache(*globals_));
  SHUNT_ASSIGN(entries_, cache_->list());
  return {};
}

// ---- looking ------------------------------------------------------------------------------------

Result<int> CacheCommand::list() {
  print_entries(*globals_, entries_);
  return kDone;
}

Result<int> CacheCommand::stat() {
  CacheTotals totals = totals_of(entries_);
  totals.directory = directory_;
  totals.budget = globals_->cache_bytes();
  print_totals(*globals_, totals);
  return kDone;
}

Verified CacheCommand::verify_one(const EntryStatus& entry) {
  ProgressBar::Part progress(progress_, name_of(entry));
  Result<cache::VerifyReport> report =
      cache_->verify(entry, {&cancel_token(), progress.progress()});
  if (report) return {std::move(*report), {}};
  Verified failed;
  failed.report.entry = entry;
  failed.error =
      report.error().path.empty() ? report.error().with_path(name_of(entry)) : report.error();
  return failed;
}

Result<int> CacheCommand::verify() {
  std::vector<EntryStatus> chosen;
  std::set<std::string> keys;
  if (names_.empty()) chosen = entries_;
  for (const std::string& name : names_) {
    SHUNT_ASSIGN(const std::vector<EntryStatus> found,
                 cache::Cache::matching(entries_, name, schemes().canonical(name)));
    std::ranges::copy_if(found, std::back_inserter(chosen),
                         [&](const EntryStatus& entry) { return keys.insert(entry.key).second; });
  }
  std::vector<Verified> all;
  std::vector<std::optional<ErrorCode>> outcomes;
  if (chosen.empty() && !globals_->quiet && !globals_->json) {
    print_line(Stream::kErr, fmt::format("{}: nothing to verify: the cache is empty", directory_));
  }
  progress_.expect(chosen.size(), "entries");
  for (const EntryStatus& entry : chosen) {
    all.push_back(verify_one(entry));
    const std::optional<Error> failure = all.back().failure();
    outcomes.push_back(failure ? std::optional(failure->code) : std::nullopt);
    if (!globals_->json) print_verified_text(*globals_, all.back());
    if (!cancel_token().requested()) continue;
    if (all.size() < chosen.size()) outcomes.emplace_back(ErrorCode::kInterrupted);
    break;
  }
  const auto has = [&](ErrorCode code) {
    return std::ranges::count(outcomes, std::optional(code)) > 0;
  };
  // A corrupt entry determines the exit code, whatever else happened.
  const bool bad = has(ErrorCode::kIntegrity) && !has(ErrorCode::kInterrupted);
  const int code = bad ? kIntegrity : exit_code_for(outcomes, cancel_token());
  if (globals_->json) print_verified_json(all, code);
  return code;
}

// ---- changing -----------------------------------------------------------------------------------

Result<int> CacheCommand::collect() {
  SHUNT_ASSIGN(const std::uint64_t max_size, parse_size(max_size_));
  const std::uint64_t before = totals_of(entries_).allocated;
  std::uint64_t after = 0;
  if (cache_ != nullptr) {
    SHUNT_ASSIGN(after, cache_->collect(max_size));
  }
  print_collected(*globals_, before, after, max_size);
  return kDone;
}

// Calls `work` for each entry that a name stands for; a failure does not stop the others.
int CacheCommand::change(const char* done,
                         const std::function<Result<void>(const std::string& key)>& work) {
  std::vector<EntryStatus> changed;
  std::vector<Error> errors;
  std::vector<std::optional<ErrorCode>> outcomes;
  std::set<std::string> keys;
  const auto change_all = [&](const std::string& name) -> Result<void> {
    SHUNT_ASSIGN(const std::vector<EntryStatus> found,
                 cache::Cache::matching(entries_, name, schemes().canonical(name)));
    for (const EntryStatus& entry : found) {
      if (!keys.insert(entry.key).second) continue;
      SHUNT_TRY(work(entry.key));
      changed.push_back(entry);
      if (globals_->quiet || globals_->json) continue;
      print_line(Stream::kErr, fmt::format("{}: {}", name_of(entry), done));
    }
    return {};
  };
  for (const std::string& name : names_) {
    const Result<void> outcome = change_all(name);
    outcomes.push_back(outcome ? std::nullopt : std::optional(outcome.error().code));
    if (outcome) continue;
    errors.push_back(outcome.error());
    if (!globals_->json) print_error(*globals_, outcome.error());
  }
  const int code = exit_code_for(outcomes, cancel_token());
  if (globals_->json) print_changed_json(changed, errors, code);
  return code;
}

Result<int> CacheCommand::remove() {
  return change("removed", [&](const std::string& key) -> Result<void> {
    SHUNT_TRY(cache_->remove(key));
    return {};
  });
}

Result<int> CacheCommand::pin() {
  return change("pinned", [&](const std::string& key) { return cache_->pin(key); });
}

Result<int> CacheCommand::unpin() {
  return change("no longer pinned", [&](const std::string& key) { return cache_->unpin(key); });
}

}  // namespace

std::unique_ptr<Command> make_cache(CLI::App& parent) {
  return std::make_unique<CacheCommand>(parent);
}

}  // namespace shunt::cli
