// Undo: closes the gap and restores what was overwritten.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "shunt/in_place/edit_job.h"
#include "shunt/in_place/gap_stamp.h"
#include "shunt/io/lease.h"

namespace shunt::in_place {
namespace {

constexpr std::size_t kRestoreBuffer = std::size_t{1} << 20;
// How often a tail that has grown again is moved back.
constexpr int kMaxRounds = 100;

Error keeps_growing(const io::File& file) {
  Error error = appended_error(file, 0);
  error.reason = "another program keeps appending to it";
  return error;
}

}  // namespace

Result<void> Job::close_gap() {
  if (edit_.gap_size == 0 || !gap_may_be_open_) return {};
  SHUNT_ASSIGN(const std::uint64_t size, file_.size());
  if (size <= edit_.size_before) return {};
  watching_ = false;
  if (edit_.room == RoomKind::kShifted) {
    SHUNT_TRY(journal_.settle_cursor());
    return journal_.has_cursor() ? close_shifted_gap() : give_back_space();
  }
  SHUNT_ASSIGN(const std::uint64_t cursor, find_gap());
  view_.set_gap(UINT64_MAX, 0);
  // A collapse may not reach the end of the file; then the gap is closed by copying.
  if (cursor + edit_.gap_size >= size) return close_gap_at_end();
  return file_.collapse_range(cursor, edit_.gap_size);
}

// Data that another program appended is moved back with the rest.
Result<void> Job::close_shifted_gap() {
  options_.context.begin("undoing",
                         edit_.size_before - std::min(journal_.cursor(), edit_.size_before));
  for (int round = 0; round < kMaxRounds; ++round) {
    SHUNT_ASSIGN(const std::uint64_t size, file_.size());
    if (size < edit_.size_with_gap()) return check_size(edit_.size_with_gap());
    const std::uint64_t end = size - edit_.gap_size;
    SHUNT_TRY(journal_.settle_cursor());
    if (journal_.cursor() < end) SHUNT_TRY(shift_back(make_shift(), {journal_.cursor(), end}));
    SHUNT_TRY(announce_cut(end));
    const io::Lease alone(file_);
    SHUNT_ASSIGN(const std::uint64_t size_now, file_.size());
    if (size_now != size) continue;
    view_.set_gap(UINT64_MAX, 0);
    return file_.truncate(end);
  }
  return keeps_growing(file_);
}

// After the gap was cut off, another program may append as many bytes as it had; the size then does
// not show whether the gap is still there. The stamp does, since it lies in the gap.
Result<void> Job::announce_cut(std::uint64_t end) {
  Result<void> stamped = write_stamp(file_, end, journal_.record().stamp);
  // The stamp must be on disk before the cursor that refers to it.
  if (stamped) stamped = file_.sync_data();
  if (stamped) return journal_.announce_cut(end);
  // The gap may be a hole or shared with another file there, so the stamp needs space. A full disk
  // must not prevent an undo.
  const int number = stamped.error().system_errno;
  if (number != ENOSPC && number != EDQUOT) return stamped;
  // The bytes of the last step are about to change: its digest must not be checked any more.
  return journal_.set_cursor(end);
}

// The last block of the file is at its old place, and the gap is behind it. Data that another
// program appended, less than the block that a collapse could move, goes to the original end.
Result<void> Job::close_gap_at_end() {
  for (int round = 0; round < kMaxRounds; ++round) {
    SHUNT_ASSIGN(const std::uint64_t size, file_.size());
    if (size < edit_.size_with_gap()) return check_size(edit_.size_with_gap());
    const std::uint64_t more = size - edit_.size_with_gap();
    if (more > 0) {
      // Written beside the place it comes from, so that it is in the file at every moment.
      std::vector<std::byte> tail(static_cast<std::size_t>(std::min(more, edit_.gap_size)));
      SHUNT_ASSIGN(const std::size_t got, file_.read_at(edit_.size_with_gap(), tail));
      SHUNT_TRY(file_.write_at(edit_.size_before, std::span(tail).first(got)));
      SHUNT_TRY(file_.sync_data());
    }
    const io::Lease alone(file_);
    SHUNT_ASSIGN(const std::uint64_t size_now, file_.size());
    if (size_now == size) return file_.truncate(edit_.size_before + more);
  }
  return keeps_growing(file_);
}

// Data appended in the meantime belongs to another program and stays as it is.
Result<void> Job::give_back_space() {
  for (int round = 0; round < kMaxRounds; ++round) {
    SHUNT_ASSIGN(const std::uint64_t size, file_.size());
    if (size <= edit_.size_before) return {};
    SHUNT_ASSIGN(
        const std::optional<std::uint64_t> appended,
        find_space(file_, {edit_.size_before, size}, edit_.gap_size, journal_.record().stamp));
    if (!appended) {
      // Space reserved while nobody else had the file open lies at the original end and is zeros.
      const ByteRange reserved{edit_.size_before, std::min(size, edit_.size_with_gap())};
      SHUNT_ASSIGN(const std::uint64_t content, end_of_content(reserved));
      if (content > reserved.begin) return {};
    }
    if (size >= edit_.size_with_gap()) {
      // The state of an undo that got this far. From here on the space may look different.
      SHUNT_TRY(journal_.set_cursor(appended.value_or(edit_.size_before)));
      return close_shifted_gap();
    }
    const io::Lease alone(file_);
    SHUNT_ASSIGN(const std::uint64_t size_now, file_.size());
    if (size_now == size) return file_.truncate(edit_.size_before);
  }
  return keeps_growing(file_);
}

Result<void> Job::undo() {
  SHUNT_TRY(close_gap());
  view_.set_gap(UINT64_MAX, 0);
  SHUNT_ASSIGN(const bool intact, needed_is_intact());
  if (!intact) {
    Error error;
    error.code = ErrorCode::kIntegrity;
    error.path = file_.path();
    error.operation = "undo";
    error.reason = "the bytes that the edit was planned from have changed";
    return error;
  }
  return restore();
}

Result<void> Job::restore() {
  const SavedBytes saved = all_saved(journal_.record());
  SHUNT_TRY(restore_range(saved, saved.zeros()));
  for (std::size_t run = 0; run < saved.count(); ++run) {
    SHUNT_TRY(restore_range(saved, saved.range(run)));
  }
  SHUNT_TRY(settle_times());
  SHUNT_TRY(file_.sync());
  return journal_.remove(file_);
}

// Writes only what differs, so that an untouched file keeps its times.
Result<void> Job::restore_range(const SavedBytes& saved, ByteRange range) {
  std::vector<std::byte> now(std::min<std::uint64_t>(range.size(), kRestoreBuffer));
  std::vector<std::byte> then(now.size());
  for (std::uint64_t at = range.begin; at < range.end;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(now.size(), range.end - at));
    // After a failed sync the cache may differ from the disk: compare with the disk.
    ::posix_fadvise(file_.fd(), static_cast<off_t>(at), static_cast<off_t>(size),
                    POSIX_FADV_DONTNEED);
    SHUNT_ASSIGN(const std::size_t got, file_.read_at(at, std::span(now).first(size)));
    std::copy_n(now.begin(), size, then.begin());
    saved.overlay(at, std::span(then).first(size));
    if (got < size ||
        !std::equal(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(size), then.begin())) {
      SHUNT_TRY(file_.write_at(at, std::span(then).first(size)));
    }
    at += size;
  }
  return {};
}

}  // namespace shunt::in_place
