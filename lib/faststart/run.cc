#include "shunt/faststart/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace shunt::faststart {
namespace {

// "track 2", "tracks 2, 3 and 40 more".
std::string tracks_text(const std::vector<std::uint32_t>& tracks) {
  constexpr std::size_t kNamed = 8;
  std::string text = tracks.size() == 1 ? "track " : "tracks ";
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    if (i == kNamed && tracks.size() > kNamed + 1) {
      return text + fmt::format(" and {} more", tracks.size() - i);
    }
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 == tracks.size() ? " and " : ", ", tracks[i]);
  }
  return text;
}

// Returns true if no track has all of its data in this file.
bool all_elsewhere(const mp4::Movie& movie) {
  return !movie.file.has_fragments &&
         std::ranges::none_of(movie.moov.tables, [](const boxes::OffsetTable& table) {
           return table.is_of_chunks() && table.filter == nullptr && table.count > 0;
         });
}

}  // namespace

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
    case Status::kNothing:
      return "nothing_to_recover";
    case Status::kFailed:
      return "failed";
  }
  return "";
}

Error changed_meanwhile(std::string_view path, std::string_view operation) {
  Error error;
  error.code = ErrorCode::kBusy;
  error.path = path;
  error.operation = operation;
  error.reason = "the file was changed or replaced by another program";
  return error;
}

Run::Run(std::string path, const Options& options) : options_(options), verifier_(options.context) {
  report_.path = std::move(path);
  report_.dry_run = options.dry_run;
}

void Run::note(const Plan& plan) {
  report_.strategy = plan.strategy;
  report_.size_before = plan.size_before;
  report_.size_after = plan.size_after();
  report_.moov_size = plan.sizing.moov_size;
  report_.shift = plan.sizing.shift;
  report_.padding = plan.sizing.free_size + plan.sizing.joined;
  report_.co64_upgraded = plan.co64_upgraded;
}

void Run::note_dry_run(const Plan& plan) {
  note(plan);
  report_.status = Status::kPlanned;
  note_cost(plan);
}

void Run::note_cost(const Plan& plan) {
  const Cost cost = plan.strategy->cost(plan);
  report_.memory = kMemoryBound;
  report_.disk_space = cost.space;
  planned_.emplace();
  planned_->bytes_read = counters_.bytes_read + cost.to_read;
  planned_->bytes_written = cost.to_write;
}

Result<void> Run::begin(const mp4::Movie& movie) {
  report_.size_before = report_.size_after = movie.file.size;
  report_.warnings.insert(report_.warnings.end(), movie.fields.warnings.begin(),
                          movie.fields.warnings.end());
  if (is_done(movie, options_.padding)) return {};
  const std::vector<std::uint32_t> elsewhere = note_external(movie);
  if (!options_.verify) return {};
  if (elsewhere.empty() || !all_elsewhere(movie)) {
    return compares(*movie.source) ? remember(*movie.source, elsewhere) : Result<void>();
  }
  return nothing_compared(fmt::format("the data of {} {} in other files", tracks_text(elsewhere),
                                      elsewhere.size() == 1 ? "lies" : "lie"));
}

// Warns of tracks whose data lies in other files, and returns their numbers.
std::vector<std::uint32_t> Run::note_external(const mp4::Movie& movie) {
  using Chunks = mp4::ExternalTrack::Chunks;
  std::vector<std::uint32_t> elsewhere;
  for (const mp4::ExternalTrack& track : movie.moov.external_tracks) {
    if (track.away != Chunks::kHere) elsewhere.push_back(track.id);
  }
  if (elsewhere.empty()) return elsewhere;
  report_.warnings.push_back(
      fmt::format("data of {} lies in other files: its offsets are unchanged{}",
                  tracks_text(elsewhere), options_.verify ? ", and it is not compared" : ""));
  return elsewhere;
}

Result<void> Run::remember(const io::Source& original) {
  return options_.verify && compares(original) ? remember(original, {}) : Result<void>();
}

bool Run::compares(const io::Source& original) const {
  if (!options_.dry_run || original.in_file().file != nullptr) return true;
  const Result<std::string> identity = original.identity();
  return identity && identity->empty();  // in memory
}

Result<void> Run::remember(const io::Source& original, std::vector<std::uint32_t> left_out) {
  SHUNT_TRY(verifier_.remember(original, std::move(left_out)));
  remembered_ = true;
  return {};
}

Result<void> Run::verify(const io::Source& candidate) {
  if (!remembered_) return {};
  const Result<void> same = verifier_.compare(candidate);
  if (same) {
    report_.verified = true;
  } else if (same.error().code == ErrorCode::kIntegrity) {
    report_.verified = false;
  }
  return same;
}

Report Run::finish(const Result<void>& result) {
  const io::Counters& counters = planned_ ? *planned_ : counters_;
  report_.bytes_read = counters.bytes_read;
  report_.bytes_written = counters.bytes_written;
  report_.seconds = stopwatch_.seconds();
  // The place of moov was not looked at.
  if (options_.recover_only && report_.status == Status::kAlready) {
    report_.status = Status::kNothing;
  }
  if (!result) {
    report_.status = Status::kFailed;
    report_.error = result.error().with_path(report_.path);
    report_.size_after = report_.size_before;
    // What was compared is not what is in the file.
    if (report_.verified.value_or(false)) report_.verified.reset();
  }
  return std::move(report_);
}

}  // namespace shunt::faststart
