// run_in_place: opens, locks, recovers, plans, and runs the first strategy that can.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/log.h"
#include "faststart/choose.h"
#include "faststart/faststart.h"
#include "faststart/new_file.h"
#include "faststart/run.h"
#include "io/attributes.h"
#include "io/kernel.h"
#include "io/lock.h"
#include "io/new_file.h"
#include "io/path.h"
#include "layout/original_view.h"
#include "layout/realise.h"

namespace shunt::faststart {
namespace {

// Units to try for an insertion after the file system's own block: the allocation units of ext4
// with bigalloc and of XFS real-time files are larger and do not show.
constexpr std::uint64_t kLargerUnits[] = {std::uint64_t{64} << 10, std::uint64_t{1} << 20};

Result<void> refuse_pending(const std::string& path) {
  SHUNT_ASSIGN(const std::string real_path, io::resolve(path));
  if (::access(layout::Journal::path_for(real_path).c_str(), F_OK) != 0) return {};
  Error error;
  error.path = path;
  error.reason = "an earlier run was interrupted";
  error.hint = fmt::format("'shunt faststart --recover {}' finishes or undoes it", path);
  return error;
}

// What a reserve that was asked for may keep aside in the journal; auto keeps less.
constexpr std::uint64_t kMaxSavedOnRequest = std::uint64_t{2} << 20;

class InPlaceRun {
 public:
  InPlaceRun(const std::string& path, const Options& options) : run_(path, options) {}

  Report report() {
    Result<void> done = work();
    // Messages name the file as the caller did.
    if (!done && done.error().path == real_path_) done.error().path = run_.report().path;
    return run_.finish(done);
  }

 private:
  Result<void> work() {
    SHUNT_TRY(open());
    SHUNT_TRY(recover());
    if (options().recover_only) return {};
    view_ = std::make_shared<layout::OriginalView>(file_, run_.report().size_before);
    SHUNT_ASSIGN(mp4::Movie movie, mp4::read_movie(view_));
    SHUNT_TRY(run_.begin(movie));
    if (movie.file.moov_in_front) {
      const bool finished = run_.report().recovery == Report::Recovery::kFinished;
      run_.report().status = finished ? Status::kRecovered : Status::kAlready;
      return {};
    }
    SHUNT_ASSIGN(setting_, Setting::of(file_));
    if (options().dry_run) return dry_run(movie);
    return choose_and_run(movie);
  }

  [[nodiscard]] const Options& options() const { return run_.options(); }

  Result<void> open() {
    SHUNT_ASSIGN(real_path_, io::resolve(run_.report().path));
    if (!options().dry_run) SHUNT_TRY(io::check_no_writer(real_path_));
    for (;;) {
      SHUNT_ASSIGN(file_, options().dry_run
                              ? io::File::open_to_read(real_path_, &run_.counters())
                              : io::File::open_to_change(real_path_, &run_.counters()));
      SHUNT_ASSIGN(const struct stat status, file_.status());
      if (!S_ISREG(status.st_mode)) {
        Error error = system_error(EINVAL, run_.report().path, "open");
        error.reason = "not a regular file";
        return error;
      }
      if (!options().dry_run) SHUNT_TRY(io::lock_exclusive(file_));
      // Whoever had the lock may have put a new file in its place.
      struct stat named {};
      if (::stat(real_path_.c_str(), &named) == 0 && named.st_ino == status.st_ino &&
          named.st_dev == status.st_dev) {
        access_time_ = status.st_atim;
        opened_ = status;
        run_.report().size_before = static_cast<std::uint64_t>(status.st_size);
        run_.report().size_after = run_.report().size_before;
        return {};
      }
      SHUNT_ASSIGN(real_path_, io::resolve(run_.report().path));
    }
  }

  Result<void> recover() {
    // A dry run changes nothing, so that it can say nothing of a file between two states either.
    if (options().dry_run) return refuse_pending(run_.report().path);
    SHUNT_TRY(io::NewFile::sweep(real_path_));
    layout::InPlaceOptions in_place;
    in_place.cancel = options().cancel;
    in_place.progress = options().progress;
    SHUNT_ASSIGN(const layout::Recovered recovered,
                 layout::recover_in_place(file_, replan, in_place));
    Report& report = run_.report();
    report.status = Status::kAlready;
    if (recovered == layout::Recovered::kNothing) return {};
    const bool finished = recovered == layout::Recovered::kFinished;
    report.recovery = finished ? Report::Recovery::kFinished : Report::Recovery::kOriginal;
    report.status = Status::kRecovered;
    SHUNT_ASSIGN(const std::uint64_t size, file_.size());
    SHUNT_ASSIGN(opened_, file_.status());
    report.size_after = size;
    if (!options().recover_only) report.size_before = size;
    return {};
  }

  // The strategies in question, in the order in which they are tried.
  [[nodiscard]] std::vector<Strategy> candidates() const {
    if (options().strategy) return {*options().strategy};
    return {kAllStrategies.begin(), kAllStrategies.end()};
  }

  [[nodiscard]] PlanOptions plan_options(std::uint64_t unit) const {
    return {options().padding, unit};
  }

  Result<void> dry_run(mp4::Movie& movie) {
    std::optional<Error> first_error;
    for (const Strategy strategy : candidates()) {
      const Result<Plan> plan =
          make_plan(movie, strategy, plan_options(setting_.file_system.block_size));
      if (!plan && plan.error().code != ErrorCode::kUnsuitable) return plan.error();
      // A strategy that was asked for is run, or fails, whatever auto would think of it.
      std::string reason;
      if (!plan) {
        reason = plan.error().reason;
      } else if (!options().strategy || strategy == Strategy::kInsert) {
        reason = why_not(*plan, setting_);
      }
      const bool suitable = reason.empty();
      if (suitable) reason = describe(*plan);
      if (suitable && run_.report().status != Status::kPlanned) run_.note_dry_run(*plan);
      run_.report().assessments.push_back({strategy, suitable, std::move(reason)});
    }
    if (run_.report().status == Status::kPlanned) return {};
    return no_strategy();
  }

  // No strategy was found; says why not, for each.
  [[nodiscard]] Error no_strategy() const {
    Error error;
    error.code = ErrorCode::kLocalIo;
    error.operation = "plan";
    error.reason = "there is no way to move moov here";
    for (const Assessment& assessment : run_.report().assessments) {
      error.reason += fmt::format("; {}: {}", name_of(assessment.strategy), assessment.reason);
    }
    return error;
  }

  Result<void> choose_and_run(mp4::Movie& movie) {
    for (const Strategy strategy : candidates()) {
      const Result<void> done = try_strategy(movie, strategy);
      if (done) return {};
      if (!leaves_to_others(strategy, done.error())) return done;
      log::debug("{}: {}: {}", real_path_, name_of(strategy), done.error().describe());
      run_.report().assessments.push_back({strategy, false, done.error().reason});
      run_.report().strategy.reset();
    }
    return no_strategy();
  }

  Result<void> try_strategy(mp4::Movie& movie, Strategy strategy) {
    Result<void> done = try_unit(movie, strategy, setting_.file_system.block_size);
    if (strategy != Strategy::kInsert) return done;
    for (const std::uint64_t unit : kLargerUnits) {
      const bool misaligned = !done && done.error().code == ErrorCode::kUnsuitable &&
                              done.error().system_errno == EINVAL;
      if (!misaligned) break;
      if (unit > setting_.file_system.block_size) done = try_unit(movie, strategy, unit);
    }
    return done;
  }

  Result<void> try_unit(mp4::Movie& movie, Strategy strategy, std::uint64_t unit) {
    SHUNT_ASSIGN(const Plan plan, make_plan(movie, strategy, plan_options(unit)));
    // An insertion that may lose bytes when interrupted is not made on request either.
    if (!options().strategy || strategy == Strategy::kInsert) {
      if (std::string reason = why_not(plan, setting_); !reason.empty()) {
        Error error;
        error.code = ErrorCode::kUnsuitable;
        error.reason = std::move(reason);
        return error;
      }
    }
    log::debug("{}: {}: {}", real_path_, name_of(strategy), describe(plan));
    if (keeps_inode(strategy)) {
      SHUNT_TRY(edit_in_place(plan));
    } else {
      SHUNT_TRY(replace(plan));
    }
    run_.note(plan);
    run_.report().status = Status::kMoved;
    return {};
  }

  Result<void> edit_in_place(const Plan& plan) {
    // The plan is a Source: what it will read like is known before a byte changes.
    SHUNT_TRY(run_.verify(plan.layout));
    layout::InPlaceOptions in_place;
    in_place.cancel = options().cancel;
    in_place.progress = options().progress;
    if (options().strategy) in_place.max_saved = kMaxSavedOnRequest;
    SHUNT_TRY(layout::run_in_place(file_, *view_, *plan.edit, in_place));
    SHUNT_TRY(run_.verify(io::BorrowedFileSource(file_, plan.size_after())));
    keep_access_time(file_);
    return {};
  }

  Result<void> replace(const Plan& plan) {
    SHUNT_ASSIGN(const io::Attributes attributes, io::Attributes::of(file_));
    SHUNT_ASSIGN(io::NewFile new_file, io::NewFile::create(real_path_, &run_.counters()));
    // First what may be refused, then the work.
    SHUNT_TRY(attributes.apply_to(new_file.file()));
    if (plan.strategy == Strategy::kReflink) {
      SHUNT_TRY(write_reflink(plan, file_, new_file.file()));
    } else {
      SHUNT_TRY(
          layout::write_file(plan.layout, new_file.file(), {options().cancel, options().progress}));
    }
    SHUNT_TRY(run_.verify(io::BorrowedFileSource(new_file.file(), plan.size_after())));
    keep_access_time(new_file.file());
    SHUNT_TRY(check_unchanged());
    return new_file.commit(io::IfThere::kReplace);
  }

  // A new file takes the place of the one that was read, and of no other.
  Result<void> check_unchanged() const {
    struct stat named {};
    const bool same = ::stat(real_path_.c_str(), &named) == 0 && io::same_state(named, opened_);
    if (same) return {};
    Error error = system_error(EBUSY, real_path_, "replace");
    error.reason = "the file has been changed or replaced in the meantime";
    error.hint = "it is left as it is";
    return error;
  }

  // Reading it was our doing; only the modification time is to change.
  void keep_access_time(const io::File& file) const {
    const struct timespec times[2] = {access_time_, {0, UTIME_OMIT}};
    (void)io::kernel().futimens(file.fd(), times);  // a courtesy; the work is done
  }

  Run run_;
  std::string real_path_;
  io::File file_;
  struct timespec access_time_ {};
  struct stat opened_ {};
  Setting setting_;
  std::shared_ptr<layout::OriginalView> view_;
};

}  // namespace

Result<io::SourcePtr> open_source(const std::string& path, Reading reading,
                                  io::Counters* counters) {
  SHUNT_ASSIGN(const std::shared_ptr<const io::FileSource> source,
               io::FileSource::open(path, counters));
  // The lock keeps edits away for as long as the source is open; a journal that is there then is
  // nobody's at work.
  if (reading == Reading::kAll) SHUNT_TRY(io::lock_shared(source->file()));
  SHUNT_TRY(refuse_pending(path));
  return io::SourcePtr(source);
}

Report run_in_place(const std::string& path, const Options& options) {
  return InPlaceRun(path, options).report();
}

}  // namespace shunt::faststart
