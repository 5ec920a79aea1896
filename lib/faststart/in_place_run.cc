// run_in_place: opens, locks, recovers, plans, and runs the first suitable strategy.
#include <fmt/format.h>

#include <cerrno>
#include <memory>
#include <optional>

#include "shunt/base/log.h"
#include "shunt/faststart/choose.h"
#include "shunt/faststart/faststart.h"
#include "shunt/faststart/interrupted.h"
#include "shunt/faststart/run.h"
#include "shunt/faststart/target.h"
#include "shunt/files/attributes.h"
#include "shunt/files/directory.h"
#include "shunt/files/new_file.h"
#include "shunt/files/replace.h"
#include "shunt/in_place/original_view.h"
#include "shunt/io/kernel.h"

namespace shunt::faststart {
namespace {

// Limit on the bytes that `reserve` may save in the journal when it was asked for; auto uses less.
constexpr std::uint64_t kMaxSavedOnRequest = std::uint64_t{2} << 20;

class InPlaceRun final : public Work {
 public:
  InPlaceRun(const std::string& path, const Options& options) : run_(path, options) {}

  Report report() {
    Result<void> done = work();
    // If an edit was undone or awaits recovery, the error already says so.
    if (!done && done.error().code == ErrorCode::kInterrupted) {
      done = done.error().with_hint(edited_ ? "moov is in front; the packets were not all compared"
                                            : "the file is unchanged");
    }
    // Messages name the file as the caller gave it.
    if (!done && done.error().path == target_.path()) done.error().path = run_.report().path;
    return run_.finish(done);
  }

 private:
  Result<void> work() {
    SHUNT_TRY(target_.find(run_.report().path, &run_.counters(), options().context.cancel));
    note_found();
    SHUNT_ASSIGN(const bool nothing, nothing_to_do());
    if (nothing) return {};
    std::optional<Error> obstacle;  // of a dry run: the error that the run would end with
    if (options().dry_run) {
      if (const Result<void> could = target_.could_take(); !could) obstacle = could.error();
      // It changes nothing, and so cannot report on a file in the middle of an edit either.
      SHUNT_ASSIGN(const bool pending, target_.has_journal());
      if (pending && obstacle && obstacle->code == ErrorCode::kBusy) return *obstacle;
      if (pending) return interrupted_before(run_.report().path);
    } else {
      SHUNT_TRY(target_.take(options().context.cancel));
      note_found();
      SHUNT_TRY(recover());
    }
    if (options().recover_only) return {};
    view_ = std::make_shared<in_place::OriginalView>(target_.file(), run_.report().size_before);
    SHUNT_ASSIGN(mp4::Movie movie,
                 mp4::read_movie(view_, needed_of(options().padding), options().context.cancel));
    if (const Result<void> begun = run_.begin(movie); !begun) {
      return obstacle ? *obstacle : begun.error();
    }
    if (is_done(movie, options().padding)) {
      const bool finished = run_.report().recovery == Report::Recovery::kFinished;
      run_.report().status = finished ? Status::kRecovered : Status::kAlready;
      return {};
    }
    SHUNT_ASSIGN(setting_, Setting::of(target_.directory(), target_.file()));
    if (options().dry_run) return dry_run(movie, obstacle);
    return choose_and_run(movie);
  }

  [[nodiscard]] const Options& options() const { return run_.options(); }

  void note_found() {
    const auto size = static_cast<std::uint64_t>(target_.status().st_size);
    run_.report().size_before = run_.report().size_after = size;
  }

  // Looks whether there is anything to do before asking for write access: a file that needs nothing
  // may belong to anybody and be in use. In doubt, returns false and leaves it to the run that
  // locks the file.
  Result<bool> nothing_to_do() {
    SHUNT_ASSIGN(const bool pending, target_.has_journal());
    if (pending) return false;
    if (options().recover_only) {
      // Its holder may be about to begin an edit.
      if (!target_.is_free()) return false;
    } else {
      const auto source =
          std::make_shared<io::BorrowedFileSource>(target_.file(), run_.report().size_before);
      const Result<mp4::FileMap> file = mp4::map_file(*source);
      if (!file || !file->moov_in_front) return false;
      const Result<mp4::Movie> movie =
          mp4::read_movie(source, needed_of(options().padding), options().context.cancel);
      if (!movie || !is_done(*movie, options().padding)) return false;
      SHUNT_TRY(run_.begin(*movie));
      // Another process may have edited it. An edit has its journal there from before its first
      // change until after its last one.
      SHUNT_ASSIGN(const bool began, target_.has_journal());
      if (began || !target_.is_as_noted()) return false;
    }
    if (!options().dry_run) target_.sweep();
    run_.report().status = Status::kAlready;
    return true;
  }

  Result<void> recover() {
    SHUNT_TRY(files::NewFile::sweep(target_.directory(), target_.name()));
    SHUNT_ASSIGN(
        const in_place::Recovered recovered,
        in_place::recover(target_.directory(), target_.file(), replan, in_place_options()));
    Report& report = run_.report();
    report.status = Status::kAlready;
    if (recovered == in_place::Recovered::kNothing) return {};
    const bool finished = recovered == in_place::Recovered::kFinished;
    report.recovery = finished ? Report::Recovery::kFinished : Report::Recovery::kOriginal;
    report.status = Status::kRecovered;
    SHUNT_TRY(target_.note_status());
    report.size_after = static_cast<std::uint64_t>(target_.status().st_size);
    if (!options().recover_only) report.size_before = report.size_after;
    return {};
  }

  [[nodiscard]] PlanOptions plan_options(std::uint64_t unit) const {
    return {options().padding, unit};
  }

  // With an `obstacle` there is no plan to print: the run would not get that far.
  Result<void> dry_run(mp4::Movie& movie, const std::optional<Error>& obstacle) {
    for (const Strategy* const strategy : candidates(options())) {
      const Result<Plan> plan =
          strategy->plan(movie, plan_options(setting_.file_system.block_size));
      if (!plan && plan.error().code != ErrorCode::kUnsuitable) return plan.error();
      std::string reason;
      if (!plan) {
        reason = plan.error().reason;
      } else {
        reason = why_not_run(*plan, setting_, options());
        // Checks that the run would only make by trying.
        if (reason.empty()) reason = why_no_space(*plan, setting_);
        if (reason.empty()) {
          reason = strategy->why_not_tried(*plan, setting_, target_.directory(), whole_file());
        }
      }
      if (reason.empty() && obstacle) reason = obstacle->reason;
      const bool suitable = reason.empty();
      if (suitable) reason = strategy->describe(*plan, NewFileGoes::kInItsPlace);
      if (suitable && run_.report().status != Status::kPlanned) {
        SHUNT_TRY(run_.verify(plan->layout));
        run_.note_dry_run(*plan);
      }
      run_.report().assessments.push_back({strategy, suitable, std::move(reason)});
    }
    if (run_.report().status == Status::kPlanned) return {};
    if (obstacle) return *obstacle;
    return no_strategy();
  }

  // No strategy is suitable; the assessments say why, for each.
  [[nodiscard]] static Error no_strategy() {
    Error error;
    error.code = ErrorCode::kLocalIo;
    error.operation = "plan";
    error.reason = "no strategy can move moov here";
    return error;
  }

  Result<void> choose_and_run(mp4::Movie& movie) {
    for (const Strategy* const strategy : candidates(options())) {
      const Result<void> done = try_strategy(movie, *strategy);
      if (done) return {};
      if (replaced_ || !leaves_to_others(*strategy, done.error())) return done;
      // The next strategy works on the file that was planned from.
      if (!strategy->keeps_inode()) SHUNT_TRY(check_unchanged());
      log::debug("{}: {}: {}", target_.path(), strategy->name(), done.error().describe());
      run_.report().assessments.push_back({strategy, false, done.error().reason});
      run_.report().strategy = nullptr;
    }
    return no_strategy();
  }

  Result<void> try_strategy(mp4::Movie& movie, const Strategy& strategy) {
    Result<void> done;
    for (const std::uint64_t unit : strategy.units(setting_.file_system.block_size)) {
      done = try_unit(movie, strategy, unit);
      const bool misaligned = !done && done.error().code == ErrorCode::kUnsuitable &&
                              done.error().system_errno == EINVAL;
      if (!misaligned) break;
    }
    return done;
  }

  Result<void> try_unit(mp4::Movie& movie, const Strategy& strategy, std::uint64_t unit) {
    SHUNT_ASSIGN(const Plan plan, strategy.plan(movie, plan_options(unit)));
    if (std::string reason = why_not_run(plan, setting_, options()); !reason.empty()) {
      return unsuitable(std::move(reason));
    }
    log::debug("{}: {}: {}", target_.path(), strategy.name(),
               strategy.describe(plan, NewFileGoes::kInItsPlace));
    SHUNT_TRY(strategy.run(plan, *this));
    run_.note(plan);
    run_.report().size_after += carried_;
    run_.report().status = Status::kMoved;
    return {};
  }

  [[nodiscard]] Context context() const override { return options().context; }
  [[nodiscard]] io::FileRange whole_file() const { return {&target_.file(), 0}; }

  [[nodiscard]] in_place::Options in_place_options() const {
    in_place::Options in_place;
    in_place.recover_command = recover_command(target_.path());
    in_place.done = "moov is in front";
    in_place.context = options().context;
    in_place.preserve_times = options().preserve_times;
    if (options().strategy != nullptr) in_place.max_saved = kMaxSavedOnRequest;
    return in_place;
  }

  Result<void> edit(const Plan& plan) override {
    // The plan is a Source: its packets can be compared before a byte changes.
    SHUNT_TRY(run_.verify(plan.layout));
    SHUNT_TRY(in_place::run_edit(target_.directory(), target_.file(), *view_, *plan.edit,
                                 in_place_options()));
    edited_ = true;
    SHUNT_TRY(run_.verify(io::BorrowedFileSource(target_.file(), plan.size_after())));
    keep_access_time(target_.file());
    return {};
  }

  Result<void> make_new(const Plan& plan, const Fill& fill) override {
    SHUNT_ASSIGN(const files::Attributes attributes, files::Attributes::of(target_.file()));
    SHUNT_ASSIGN(files::NewFile new_file,
                 files::NewFile::create(target_.directory(), target_.name(), &run_.counters()));
    // First what may be refused, then the copying.
    SHUNT_TRY(attributes.apply_to(new_file.file()));
    if (Result<void> filled = fill(whole_file(), new_file.file()); !filled) {
      // A file that has grown cannot be shared up to its old end; report that reason.
      const ErrorCode code = filled.error().code;
      if (code == ErrorCode::kUnsuitable || code == ErrorCode::kCorrupt) {
        SHUNT_TRY(check_unchanged());
      }
      return filled;
    }
    SHUNT_TRY(run_.verify(io::BorrowedFileSource(new_file.file(), plan.size_after())));
    if (options().preserve_times) {
      SHUNT_TRY(new_file.file().set_modified(target_.status().st_mtim));
    }
    keep_access_time(new_file.file());
    const Result<std::uint64_t> carried =
        files::replace_file(new_file, target_.file(), [this] { return check_unchanged(); });
    replaced_ = new_file.is_named();
    if (carried) {
      carried_ = *carried;
      return {};
    }
    if (!replaced_) return carried.error();
    Error error = carried.error().with_hint("after a power failure it may be behind again");
    error.hint = "moov is in front; " + error.hint;
    return error;
  }

  // A new file may only replace the file that was read.
  Result<void> check_unchanged() const {
    if (target_.is_as_noted()) return {};
    return changed_meanwhile(target_.path(), "replace").with_hint("it was left unchanged");
  }

  // Only shunt has read it, so keep the access time; only the modification time changes.
  void keep_access_time(const io::File& file) const {
    const struct timespec times[2] = {target_.accessed(), {0, UTIME_OMIT}};
    (void)io::kernel().futimens(file.fd(), times);  // a courtesy; the work is done
  }

  Run run_;
  Target target_;
  Setting setting_;
  bool edited_ = false;        // the in-place edit was finished
  std::uint64_t carried_ = 0;  // bytes that others appended in the meantime, kept in the new file
  std::shared_ptr<in_place::OriginalView> view_;
  bool replaced_ = false;  // the file was replaced: no other strategy can be tried
};

}  // namespace

Report run_in_place(const std::string& path, const Options& options) {
  return InPlaceRun(path, options).report();
}

}  // namespace shunt::faststart
