// run_to_file, run_to_stream: the result somewhere else, the source left alone.
#include <sys/stat.h>

#include <cerrno>

#include "faststart/choose.h"
#include "faststart/faststart.h"
#include "faststart/new_file.h"
#include "faststart/run.h"
#include "io/attributes.h"
#include "io/new_file.h"
#include "io/output_name.h"
#include "layout/realise.h"

namespace shunt::faststart {
namespace {

class OutputRun {
 public:
  OutputRun(io::SourcePtr source, const Options& options)
      : run_(source->name(), options), source_(std::move(source)) {}

  Report to_file(const std::string& out) { return run_.finish(work_to_file(out)); }
  Report to_stream(io::File& out) { return run_.finish(work_to_stream(out)); }

 private:
  [[nodiscard]] const Options& options() const { return run_.options(); }
  [[nodiscard]] layout::RealiseOptions realise_options() const {
    return {options().cancel, options().progress};
  }

  Result<void> read() {
    if (const io::FileRange in_file = source_->in_file(); in_file.file != nullptr) {
      SHUNT_ASSIGN(opened_, in_file.file->status());
    }
    SHUNT_ASSIGN(movie_, mp4::read_movie(source_));
    return run_.begin(movie_);
  }

  // The whole output: the plan's, or the source as it is when nothing needs doing.
  Result<void> plan_copy() {
    if (movie_.file.moov_in_front) {
      plan_.layout = layout::Layout(source_->name());
      plan_.layout.append(source_, {0, source_->size()});
      run_.report().status = Status::kAlready;
      return {};
    }
    SHUNT_ASSIGN(plan_, make_plan(movie_, Strategy::kCopy, {options().padding, 1}));
    run_.note(plan_);
    if (!options().dry_run) return {};
    run_.note_dry_run(plan_);
    run_.report().assessments.push_back({Strategy::kCopy, true, "a new file is written"});
    return {};
  }

  // A stream that leads into the source would eat it.
  [[nodiscard]] Result<void> check_apart(const io::File& out) const {
    const Result<struct stat> status = out.status();
    if (source_->in_file().file == nullptr || !status || status->st_ino != opened_.st_ino ||
        status->st_dev != opened_.st_dev) {
      return {};
    }
    return usage("the output is the input itself; without -o it is changed in place");
  }

  // What was planned from must still be what was read.
  [[nodiscard]] Result<void> check_unchanged() const {
    const io::FileRange in_file = source_->in_file();
    if (in_file.file == nullptr) return {};
    SHUNT_ASSIGN(const struct stat now, in_file.file->status());
    if (io::same_state(now, opened_)) return {};
    Error error = system_error(EBUSY, source_->name(), "read");
    error.reason = "the file has been changed in the meantime; what was written of it is no good";
    return error;
  }

  // Who goes into the report: bytes are counted where they are read and written.
  void count_reading() {
    const io::FileRange in_file = source_->in_file();
    if (in_file.file == nullptr || in_file.file->counters() == nullptr) return;
    run_.counters().bytes_read += in_file.file->counters()->bytes_read;
  }

  Result<void> work_to_stream(io::File& out) {
    if (options().strategy && *options().strategy != Strategy::kCopy) {
      return usage("into a stream, the only strategy is copy");
    }
    SHUNT_TRY(read());
    SHUNT_TRY(check_apart(out));
    SHUNT_TRY(plan_copy());
    if (options().dry_run) return {};
    SHUNT_TRY(run_.verify(plan_.layout));
    SHUNT_TRY(layout::write_stream(plan_.layout, out, realise_options()));
    SHUNT_TRY(check_unchanged());
    count_reading();
    run_.counters().bytes_written += plan_.layout.size();
    if (!movie_.file.moov_in_front) run_.report().status = Status::kMoved;
    return {};
  }

  Result<void> work_to_file(const std::string& name) {
    if (options().strategy && keeps_inode(*options().strategy)) {
      return usage("into another file, the strategies are reflink and copy");
    }
    if (io::names_stream(name)) {
      SHUNT_ASSIGN(io::File file, io::File::open_to_write_stream(name, nullptr, options().cancel));
      file.set_cancel(options().cancel);
      SHUNT_TRY(work_to_stream(file));
      return file.close();
    }
    const io::IfThere if_there = options().force ? io::IfThere::kReplace : io::IfThere::kFail;
    SHUNT_ASSIGN(const std::string out, io::name_for_new_file(name, if_there));
    struct stat existing {};
    const bool exists = ::stat(out.c_str(), &existing) == 0;
    SHUNT_TRY(read());
    if (options().dry_run) return plan_copy();
    SHUNT_ASSIGN(io::NewFile new_file, io::NewFile::create(out, &run_.counters()));
    SHUNT_TRY(give_attributes(exists ? &existing : nullptr, new_file.file()));
    SHUNT_TRY(write(new_file.file()));
    SHUNT_TRY(run_.verify(io::BorrowedFileSource(new_file.file(), run_.report().size_after)));
    SHUNT_TRY(check_unchanged());
    SHUNT_TRY(new_file.commit(if_there));
    count_reading();
    run_.report().status = movie_.file.moov_in_front ? Status::kAlready : Status::kMoved;
    return {};
  }

  Result<void> write(io::File& out) {
    const bool may_share = !movie_.file.moov_in_front && source_->in_file().file != nullptr &&
                           options().strategy.value_or(Strategy::kReflink) == Strategy::kReflink;
    if (may_share) {
      const Result<void> shared = write_shared(out);
      if (shared) return {};
      if (options().strategy || shared.error().code != ErrorCode::kUnsuitable) return shared;
      SHUNT_TRY(out.truncate(0));
    }
    SHUNT_TRY(plan_copy());
    run_.report().size_after = plan_.layout.size();
    return layout::write_file(plan_.layout, out, realise_options());
  }

  Result<void> write_shared(io::File& out) {
    SHUNT_ASSIGN(const Setting setting, Setting::of(out));
    SHUNT_ASSIGN(plan_, make_plan(movie_, Strategy::kReflink,
                                  {options().padding, setting.file_system.block_size}));
    SHUNT_TRY(write_reflink(plan_, *source_->in_file().file, out));
    run_.note(plan_);
    return {};
  }

  // A file that is replaced keeps what belongs to it; a new one gets what the user's mask allows.
  Result<void> give_attributes(const struct stat* existing, io::File& out) {
    if (existing == nullptr) return io::apply_default_mode(out);
    io::Attributes attributes;
    attributes.status = *existing;
    const io::FileRange in_file = source_->in_file();
    if (in_file.file != nullptr) {
      SHUNT_ASSIGN(const struct stat own, in_file.file->status());
      if (own.st_ino == existing->st_ino && own.st_dev == existing->st_dev) {
        SHUNT_ASSIGN(attributes, io::Attributes::of(*in_file.file));
      }
    }
    return attributes.apply_to(out);
  }

  Run run_;
  io::SourcePtr source_;
  struct stat opened_ {};
  mp4::Movie movie_;
  Plan plan_;
};

}  // namespace

Report run_to_file(const io::SourcePtr& source, const std::string& out, const Options& options) {
  return OutputRun(source, options).to_file(out);
}

Report run_to_stream(const io::SourcePtr& source, io::File& out, const Options& options) {
  return OutputRun(source, options).to_stream(out);
}

Result<bool> moov_is_in_front(const io::Source& source) {
  SHUNT_ASSIGN(const mp4::FileMap file, mp4::map_file(source));
  return file.moov_in_front;
}

}  // namespace shunt::faststart
