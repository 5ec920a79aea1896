#include "shunt/fetch/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "shunt/base/clock.h"
#include "shunt/fetch/counted_source.h"
#include "shunt/fetch/deliver.h"
#include "shunt/fetch/download_progress.h"
#include "shunt/fetch/head.h"
#include "shunt/fetch/steps.h"
#include "shunt/fetch/unsized.h"
#include "shunt/files/new_file.h"
#include "shunt/files/output_name.h"

namespace shunt::fetch {
namespace {

constexpr double kHeadSeconds = 5;
constexpr std::size_t kRangesShown = 16;

// One Source being delivered: its request and its result.
class Run {
 public:
  Run(source::Session& session, const Request& request, const Options& options)
      : session_(session), request_(request), options_(options) {
    report_.source = request.source;
  }

  [[nodiscard]] const source::Opened& opened() const { return opened_; }
  [[nodiscard]] const std::vector<ByteRange>& ranges() const { return ranges_; }
  [[nodiscard]] Context context() {
    return progress_ ? options_.context.telling(&*progress_) : options_.context;
  }

  Result<void> open() {
    SHUNT_ASSIGN(opened_,
                 session_.open(request_.source, request_.layer, source::IfUnsized::kLeave));
    progress_.reset();
    if (options_.context.progress != nullptr && opened_.far_away() != nullptr) {
      progress_.emplace(options_.context.progress, opened_.source);
    }
    ranges_.clear();
    report_.missing.clear();
    report_.identity = opened_.identity;
    report_.is_part = opened_.is_part;
    if (opened_.unsized != nullptr) {
      report_.size = report_.bytes_requested = report_.bytes_from_cache = 0;
      return {};
    }
    report_.size = opened_.source->size();
    if (request_.ranges.empty() && !request_.head) ranges_.push_back({0, report_.size});
    for (const RangeText& text : request_.ranges) {
      SHUNT_ASSIGN(const ByteRange range, text.of(report_.size));
      ranges_.push_back(range);
    }
    return note_ranges();
  }

  [[nodiscard]] Result<std::uint64_t> unsized_part() const {
    return fetch::unsized_part(*opened_.unsized, request_.ranges);
  }

  Result<void> note(source::UnsizedRead read, std::uint64_t most) {
    opened_.opening += read.traffic;
    report_.bytes_requested = read.size;
    // The size is known at the end.
    if (read.outcome && read.size < most) report_.size = read.size;
    return std::move(read.outcome);
  }

  void note_local() { report_.nothing_to_warm = opened_.far_away() == nullptr; }

  void note(const Delivered& delivered) { report_.verified = delivered.verified; }

  [[nodiscard]] bool has_changed() const { return opened_.has_changed(); }

  // The ranges of the head are requested too, unless `ranges_` already covers them.
  Result<void> read_head(double seconds) {
    const auto counted = std::make_shared<CountedSource>(opened_, ranges_);
    source::Opened opened = opened_;
    opened.source = counted;
    Result<void> done = fetch::read_head(opened, seconds, options_.context.cancel);
    report_.bytes_requested += counted->bytes_read();
    report_.bytes_from_cache += counted->bytes_from_cache();
    return done;
  }

  // Requested bytes still count after the Source is reopened.
  void close() {
    add_traffic();
    report_.kept = is_kept();
    progress_.reset();
    opened_ = {};
  }

  Report finish(const Result<void>& outcome) {
    close();
    report_.seconds = stopwatch_.seconds();
    if (!outcome) {
      report_.error = outcome.error().path.empty() ? outcome.error().with_path(request_.source)
                                                   : outcome.error();
      report_.verified = false;
    }
    return std::move(report_);
  }

 private:
  Result<void> note_ranges() {
    report_.bytes_requested = 0;
    std::uint64_t missing = 0;
    std::uint64_t just_come = 0;  // bytes that came with the answer that told the size
    for (const ByteRange range : ranges_) {
      report_.bytes_requested += range.size();
      if (opened_.far_away() == nullptr) continue;
      just_come += range.intersect({0, opened_.far_away()->bytes_fetched()}).size();
      for (const ByteRange gap : opened_.far_away()->missing(range)) {
        missing += gap.size();
        if (session_.options().offline) report_.missing.push_back(gap);
      }
    }
    report_.bytes_from_cache =
        opened_.far_away() == nullptr
            ? 0
            : report_.bytes_requested - std::min(report_.bytes_requested, missing + just_come);
    if (report_.missing.empty()) return {};
    Error error;
    error.code = ErrorCode::kNetwork;
    error.path = opened_.name;
    error.reason = fmt::format("{} of {} bytes are not in the cache (offline):", missing,
                               report_.bytes_requested);
    for (std::size_t i = 0; i < std::min(kRangesShown, report_.missing.size()); ++i) {
      error.reason += fmt::format(" {}-{}", report_.missing[i].begin, report_.missing[i].end - 1);
    }
    if (report_.missing.size() > kRangesShown) {
      error.reason += fmt::format(" and {} more", report_.missing.size() - kRangesShown);
    }
    return error;
  }

  // True if the blob is stored in the cache: not in memory, which is used without a validator or
  // with a full disk.
  [[nodiscard]] bool is_kept() const {
    if (opened_.far_away() == nullptr || opened_.far_away()->backing_file().file == nullptr)
      return false;
    const std::uint64_t size = opened_.source->size();
    return total(opened_.far_away()->missing({0, size})) < size;
  }

  void add_traffic() {
    const blob::Traffic traffic = opened_.traffic();
    report_.requests += traffic.requests;
    report_.data_requests += traffic.data_requests;
    report_.retries += traffic.retries;
    report_.bytes_fetched += opened_.bytes_fetched();
  }

  source::Session& session_;
  const Request& request_;
  const Options& options_;
  Stopwatch stopwatch_;
  Report report_;
  source::Opened opened_;
  std::optional<DownloadProgress> progress_;  // only for a cached Source
  std::vector<ByteRange> ranges_;
};

Result<void> write(Run& run, io::File& file) {
  if (run.opened().unsized == nullptr) {
    SHUNT_ASSIGN(const Delivered delivered,
                 write_ranges(run.opened(), run.ranges(), file, run.context()));
    run.note(delivered);
    return {};
  }
  SHUNT_ASSIGN(const std::uint64_t most, run.unsized_part());
  return run.note(write_unsized(*run.opened().unsized, most, file, run.context()), most);
}

Result<void> deliver_to_file(Run& run, const std::string& out, files::IfThere if_there) {
  SHUNT_ASSIGN(files::NewFile file, files::NewFile::create(out));
  SHUNT_TRY(file.inherit());
  SHUNT_TRY(write(run, file.file()));
  return file.commit(if_there);
}

}  // namespace

Report to_file(source::Session& session, const Request& request, const std::string& name,
               const Options& options) {
  Run run(session, request, options);
  const auto work = [&]() -> Result<void> {
    // Checked before anything is downloaded.
    const files::IfThere if_there =
        options.force ? files::IfThere::kReplace : files::IfThere::kFail;
    SHUNT_ASSIGN(const std::string out, files::name_for_new_file(name, if_there));
    SHUNT_TRY(run.open());
    Result<void> delivered = deliver_to_file(run, out, if_there);
    if (delivered || !run.has_changed()) return delivered;
    // Nothing of the old version has been delivered: starts again with the new one.
    run.close();
    SHUNT_TRY(run.open());
    return deliver_to_file(run, out, if_there);
  };
  return run.finish(work());
}

Report to_stream(source::Session& session, const Request& request, io::File& out,
                 const Options& options) {
  Run run(session, request, options);
  const auto work = [&]() -> Result<void> {
    SHUNT_TRY(run.open());
    if (const auto& body = run.opened().unsized; body != nullptr) {
      SHUNT_ASSIGN(const std::uint64_t most, run.unsized_part());
      return run.note(stream_unsized(*body, most, out, run.context()), most);
    }
    SHUNT_ASSIGN(const Delivered delivered,
                 stream_ranges(run.opened(), run.ranges(), out, run.context()));
    run.note(delivered);
    return {};
  };
  return run.finish(work());
}

Report to_cache(source::Session& session, const Request& request, const Options& options) {
  Run run(session, request, options);
  const auto work = [&]() -> Result<void> {
    SHUNT_TRY(run.open());
    if (run.opened().unsized != nullptr) return cannot_be_cached(*run.opened().unsized);
    run.note_local();
    if (request.head) SHUNT_TRY(run.read_head(kHeadSeconds));
    SHUNT_ASSIGN(const Delivered delivered,
                 cache_ranges(run.opened(), run.ranges(), run.context()));
    run.note(delivered);
    return {};
  };
  return run.finish(work());
}

Result<std::vector<Request>> each_layer(source::Session& session, const Request& request) {
  SHUNT_ASSIGN(const std::vector<std::string> parts, session.parts(request.source));
  std::vector<Request> all;
  for (const std::string& part : parts) {
    all.push_back(request);
    if (!part.empty()) all.back().layer = part;
  }
  return all;
}

}  // namespace shunt::fetch
