#include "faststart/run.h"

#include <algorithm>

namespace shunt::faststart {

std::string_view name_of(Status status) {
  switch (status) {
    case Status::kMoved:
      return "moved";
    case Status::kAlready:
      return "already";
    case Status::kPlanned:
      return "planned";
    case Status::kRecovered:
      return "recovered";
    case Status::kFailed:
      return "failed";
  }
  return "";
}

Run::Run(std::string path, const Options& options)
    : options_(options), verifier_(options.cancel, options.progress) {
  report_.path = std::move(path);
}

void Run::note(const Plan& plan) {
  report_.strategy = plan.strategy;
  report_.size_before = plan.size_before;
  report_.size_after = plan.size_after();
  report_.moov_size = plan.sizing.moov_size;
  report_.shift = plan.sizing.shift;
  report_.padding = plan.sizing.free_size;
  report_.co64_upgraded = plan.co64_upgraded;
}

void Run::note_dry_run(const Plan& plan) {
  note(plan);
  report_.status = Status::kPlanned;
  report_.memory = kMemoryBound;
  report_.disk_space = plan.space_needed();
  counters_.bytes_read = plan.bytes_to_read();
  counters_.bytes_written = plan.bytes_to_write();
}

Result<void> Run::begin(const mp4::Movie& movie) {
  report_.size_before = report_.size_after = movie.file.size;
  report_.warnings.insert(report_.warnings.end(), movie.fields.warnings.begin(),
                          movie.fields.warnings.end());
  if (!options_.verify || options_.dry_run || movie.file.moov_in_front) return {};
  SHUNT_TRY(verifier_.remember(*movie.source));
  // libavformat looks for the data of some external references in this file itself.
  if (std::ranges::any_of(movie.moov.tables,
                          [](const mp4::OffsetTable& t) { return t.filter != nullptr; })) {
    verifier_.give_up("a track's data lies in another file, which libavformat does not follow");
  }
  if (!verifier_.comparable()) {
    report_.warnings.push_back("nothing was compared: " + *verifier_.why_not());
  }
  return {};
}

Result<void> Run::verify(const io::Source& candidate) {
  if (!options_.verify || !verifier_.comparable()) return {};
  const Result<void> same = verifier_.compare(candidate);
  if (same) {
    report_.verified = true;
  } else if (same.error().code == ErrorCode::kIntegrity) {
    report_.verified = false;
  }
  return same;
}

Report Run::finish(const Result<void>& result) {
  report_.bytes_read = counters_.bytes_read;
  report_.bytes_written = counters_.bytes_written;
  report_.seconds = stopwatch_.seconds();
  if (!result) {
    report_.status = Status::kFailed;
    report_.error = result.error().with_path(report_.path);
    report_.size_after = report_.size_before;
  }
  return std::move(report_);
}

}  // namespace shunt::faststart
