// run_to_file, run_to_stream: write the result elsewhere and leave the source alone.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "shunt/faststart/choose.h"
#include "shunt/faststart/faststart.h"
#include "shunt/faststart/run.h"
#include "shunt/faststart/setting.h"
#include "shunt/files/access.h"
#include "shunt/files/directory.h"
#include "shunt/files/new_file.h"
#include "shunt/files/output_name.h"
#include "shunt/files/path.h"
#include "shunt/files/replace.h"
#include "shunt/layout/realise.h"
#include "shunt/mp4/media_place.h"

namespace shunt::faststart {
namespace {

class OutputRun final : public Work {
 public:
  OutputRun(io::SourcePtr source, const Options& options)
      : run_(source->name(), options), source_(std::move(source)) {}

  Report to_file(const std::string& out) {
    Result<void> done = work_to_file(out);
    if (!done && done.error().code == ErrorCode::kInterrupted) {
      done = done.error().with_hint(fmt::format("{} has not been written", out));
    }
    return run_.finish(done);
  }
  Report to_stream(io::File& out) { return run_.finish(work_to_stream(out)); }

 private:
  [[nodiscard]] const Options& options() const { return run_.options(); }
  Result<void> read() {
    SHUNT_ASSIGN(identity_, source_->identity());
    SHUNT_ASSIGN(movie_,
                 mp4::read_movie(source_, needed_of(options().padding), options().context.cancel));
    done_ = is_done(movie_, options().padding);
    SHUNT_TRY(run_.begin(movie_));
    return done_ ? run_.remember(*source_) : Result<void>();
  }

  // A dry run's answer to --verify: the packets are the same in every plan.
  Result<void> compare_plan() {
    if (!options().dry_run || !options().verify || done_) return {};
    SHUNT_ASSIGN(const Strategy* const strategy, for_streams());
    SHUNT_ASSIGN(const Plan plan, strategy->plan(movie_, plan_options(1)));
    return run_.verify(plan.layout);
  }

  [[nodiscard]] PlanOptions plan_options(std::uint64_t unit) const {
    return {options().padding, unit};
  }

  // Returns the strategy whose plan can be written in order.
  [[nodiscard]] Result<const Strategy*> for_streams() const {
    if (options().strategy != nullptr && options().strategy->goes_into_streams()) {
      return options().strategy;
    }
    const auto found = std::ranges::find_if(options().strategies, &Strategy::goes_into_streams);
    if (found == options().strategies.end()) return unsuitable("no strategy writes in order");
    return *found;
  }

  // Returns the strategies that make a new file of this source. The source keeps its inode anyway.
  [[nodiscard]] std::vector<const Strategy*> candidates_here() const {
    std::vector<const Strategy*> all = strategies_asked_for(options());
    std::erase_if(all, [&](const Strategy* strategy) {
      return strategy->keeps_inode() || !strategy->takes(source_->in_file());
    });
    return all;
  }

  Result<void> make_plan(const Strategy& strategy, std::uint64_t unit) {
    SHUNT_ASSIGN(plan_, strategy.plan(movie_, plan_options(unit)));
    return {};
  }

  // Plans the whole output, to be written in order: the strategy's layout, or the unchanged source
  // if moov is already in front.
  Result<void> plan_stream() {
    SHUNT_ASSIGN(const Strategy* const strategy, for_streams());
    if (!done_) return make_plan(*strategy, 1);
    plan_.strategy = strategy;
    plan_.layout = layout::Layout(source_->name());
    plan_.layout.append(source_, {0, source_->size()});
    plan_.size_before = source_->size();
    run_.report().status = Status::kAlready;
    return {};
  }

  void note_dry_run(std::string why_not) {
    const bool suitable = why_not.empty();
    if (suitable) {
      count_reading();
      if (done_) {
        run_.note_cost(plan_);
      } else {
        run_.note_dry_run(plan_);
      }
      why_not = done_ ? "moov is in front already; the file is copied as it is"
                      : plan_.strategy->describe(plan_, NewFileGoes::kElsewhere);
    }
    run_.report().assessments.push_back({plan_.strategy, suitable, std::move(why_not)});
  }

  // Plans what to_file() would do, and finds what would prevent it.
  Result<void> plan_file(const std::string& out) {
    SHUNT_ASSIGN(const files::Directory directory, files::NewFile::place_of(out));
    if (const Result<void> may = files::check_may_make_beside(directory, out); !may) {
      // The message of the run, which makes no such check.
      Error error = system_error(may.error().system_errno, out, "create");
      return files::explain_refusal(error, directory.fd());
    }
    SHUNT_TRY(files::check_may_replace(directory, files::file_name(out)));
    SHUNT_ASSIGN(const Setting setting, Setting::beside(directory, source_->in_file().file));
    SHUNT_TRY(choose(setting, directory));
    // The new file belongs to its creator, or to the owner of the file that it replaces.
    SHUNT_ASSIGN(const auto replaced, directory.look(files::file_name(out)));
    std::string why_not = why_too_large(plan_, setting);
    if (why_not.empty() && replaced) why_not = why_not_ownable(*replaced, setting.new_group);
    if (why_not.empty()) why_not = why_no_space(plan_, setting);
    note_dry_run(why_not);
    if (why_not.empty()) return {};
    Error error;
    error.code = ErrorCode::kLocalIo;
    error.path = out;
    error.operation = "write";
    error.reason = std::move(why_not);
    return error;
  }

  // Records the first plan that can run, as far as can be known in advance.
  Result<void> choose(const Setting& setting, const files::Directory& directory) {
    if (done_) return plan_stream();
    Result<void> chosen = cannot_share();
    for (const Strategy* const strategy : candidates_here()) {
      const std::uint64_t unit = setting.file_system.block_size;
      chosen = make_plan(*strategy, unit);
      if (!chosen) {
        if (chosen.error().code != ErrorCode::kUnsuitable) return chosen;
        continue;
      }
      std::string reason = strategy->why_not_tried(plan_, setting, directory, source_->in_file());
      if (reason.empty()) return {};
      chosen = unsuitable(std::move(reason));
    }
    return chosen;
  }

  [[nodiscard]] static Error cannot_share() {
    return unsuitable("the source is not a local file whose extents can be shared");
  }

  // Gives the result the time of the file that it was made from.
  [[nodiscard]] Result<void> keep_time(io::File& out) const {
    const io::FileRange in_file = source_->in_file();
    if (!options().preserve_times || in_file.file == nullptr) return {};
    SHUNT_ASSIGN(const struct stat status, in_file.file->status());
    return out.set_modified(status.st_mtim);
  }

  // A stream that leads to the source would overwrite it.
  [[nodiscard]] Result<void> check_apart(const io::File& out) const {
    const io::FileRange in_file = source_->in_file();
    if (in_file.file == nullptr) return {};
    const Result<struct stat> status = out.status();
    const Result<struct stat> own = in_file.file->status();
    if (!status || !own || status->st_ino != own->st_ino || status->st_dev != own->st_dev) {
      return {};
    }
    return usage("the output is the input itself; without -o it is changed in place");
  }

  // Checks that the source has not changed since it was planned from.
  [[nodiscard]] Result<void> check_unchanged() const {
    SHUNT_ASSIGN(const std::string now, source_->identity());
    if (now == identity_) return {};
    return changed_meanwhile(source_->name(), "read").with_hint("the output is invalid");
  }

  // For the report: reads of a file have been counted there. For other sources, counts what the
  // plan reads.
  void count_reading() {
    const io::FileRange in_file = source_->in_file();
    if (in_file.file != nullptr && in_file.file->counters() != nullptr) {
      run_.counters().bytes_read += in_file.file->counters()->bytes_read;
    } else if (!options().dry_run) {
      run_.counters().bytes_read += plan_.strategy->cost(plan_).to_read;
    }
  }

  Result<void> work_to_stream(io::File& out) {
    SHUNT_TRY(check_writes_in_order(options()));
    SHUNT_TRY(read());
    SHUNT_TRY(compare_plan());
    if (!options().dry_run) SHUNT_TRY(check_apart(out));
    SHUNT_TRY(plan_stream());
    if (options().dry_run) {
      note_dry_run({});
      run_.report().disk_space = 0;
      return {};
    }
    if (!done_) run_.note(plan_);
    SHUNT_TRY(run_.verify(plan_.layout));
    SHUNT_TRY(layout::write_stream(plan_.layout, out, context()));
    SHUNT_TRY(check_unchanged());
    count_reading();
    run_.counters().bytes_written += plan_.layout.size();
    if (!done_) run_.report().status = Status::kMoved;
    return {};
  }

  Result<void> work_to_file(const std::string& name) {
    if (options().strategy != nullptr && options().strategy->keeps_inode()) {
      return usage("for another output file, the strategies are reflink and copy");
    }
    const files::IfThere if_there =
        options().force ? files::IfThere::kReplace : files::IfThere::kFail;
    SHUNT_ASSIGN(const std::string out, files::name_for_new_file(name, if_there));
    SHUNT_TRY(read());
    SHUNT_TRY(compare_plan());
    if (options().dry_run) return plan_file(out);
    SHUNT_ASSIGN(files::NewFile new_file, files::NewFile::create(out, &run_.counters()));
    SHUNT_TRY(new_file.inherit());
    out_ = &new_file.file();
    SHUNT_TRY(write());
    SHUNT_TRY(run_.verify(io::BorrowedFileSource(new_file.file(), run_.report().size_after)));
    SHUNT_TRY(keep_time(new_file.file()));
    SHUNT_TRY(put_in_place(new_file, files::file_name(out), if_there));
    count_reading();
    run_.report().status = done_ ? Status::kAlready : Status::kMoved;
    return {};
  }

  // Gives the new file its name, unless the source has changed. If the name is that of the source,
  // data that another program appends in the meantime is carried over.
  Result<void> put_in_place(files::NewFile& new_file, const std::string& name,
                            files::IfThere if_there) {
    const auto look = [this] { return check_unchanged(); };
    const io::FileRange in_file = source_->in_file();
    const files::Directory& directory = new_file.directory();
    if (in_file.file == nullptr || !directory.leads_to(name, *in_file.file)) {
      return new_file.commit(if_there, look);
    }
    SHUNT_ASSIGN(io::File old, directory.open(name, O_RDONLY, "open"));
    SHUNT_ASSIGN(const std::uint64_t carried, files::replace_file(new_file, old, look));
    run_.report().size_after += carried;
    return {};
  }

  Result<void> write() {
    if (done_) {
      SHUNT_TRY(plan_stream());
      run_.report().size_after = plan_.layout.size();
      return layout::write_file(plan_.layout, *out_, context());
    }
    SHUNT_ASSIGN(const files::FileSystem file_system, files::FileSystem::of(*out_));
    Result<void> done = cannot_share();
    for (const Strategy* const strategy : candidates_here()) {
      SHUNT_TRY(out_->truncate(0));  // remove what a failed strategy wrote
      done = make_plan(*strategy, file_system.block_size);
      if (done) done = strategy->run(plan_, *this);
      if (done) run_.note(plan_);
      if (done || done.error().code != ErrorCode::kUnsuitable) return done;
    }
    return done;
  }

  Result<void> edit(const Plan& /*plan*/) override {
    return unsuitable("the original stays as it is");
  }
  Result<void> make_new(const Plan& /*plan*/, const Fill& fill) override {
    return fill(source_->in_file(), *out_);
  }
  [[nodiscard]] Context context() const override { return options().context; }

  Run run_;
  io::SourcePtr source_;
  std::string identity_;  // of the source, before its first read
  mp4::Movie movie_;
  bool done_ = false;  // nothing needs to be done
  Plan plan_;
  io::File* out_ = nullptr;  // the new file, once it is open
};

}  // namespace

Report run_to_file(const io::SourcePtr& source, const std::string& out, const Options& options) {
  return OutputRun(source, options).to_file(out);
}

Result<void> check_writes_in_order(const Options& options) {
  if (options.strategy == nullptr || options.strategy->goes_into_streams()) return {};
  return usage("for a stream, the only strategy is copy");
}

Report run_to_stream(const io::SourcePtr& source, io::File& out, const Options& options) {
  return OutputRun(source, options).to_stream(out);
}

Result<bool> moov_is_in_front(const io::SourcePtr& source) {
  SHUNT_ASSIGN(const mp4::FileMap file, mp4::locate_media(source));
  return file.moov_in_front;
}

}  // namespace shunt::faststart
