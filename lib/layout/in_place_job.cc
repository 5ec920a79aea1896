#include "layout/in_place_job.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "layout/overwrite.h"
#include "layout/torn_insert.h"

namespace shunt::layout {
namespace {

constexpr std::size_t kFrontBuffer = std::size_t{1} << 20;

}  // namespace

Result<std::uint64_t> digest_of(const io::Source& source, ByteRange range) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<std::byte> buffer(std::min<std::uint64_t>(range.size(), kFrontBuffer));
  SHUNT_TRY(io::read_in_pieces(source, range, buffer,
                               [&](std::span<const std::byte> piece) -> Result<void> {
                                 XXH3_64bits_update(state.get(), piece.data(), piece.size());
                                 return {};
                               }));
  return XXH3_64bits_digest(state.get());
}

SavedBytes all_saved(const JournalRecord& record) {
  const InPlaceEdit& edit = record.edit;
  SavedBytes all;
  all.set_zeros(record.saved.zeros());
  std::size_t run = 0;
  auto patch = edit.patches.begin();
  bool mark_pending = edit.mark.has_value();
  const auto add = [&](const FieldPatch& field) {
    const FieldPatch::Bytes bytes = field.encode(field.old_value);
    all.add(field.at, std::span(bytes).first(field.width));
  };
  // Three lists, each in order, become one.
  for (;;) {
    const std::uint64_t next_run =
        run < record.saved.count() ? record.saved.range(run).begin : UINT64_MAX;
    const std::uint64_t next_patch = patch != edit.patches.end() ? patch->at : UINT64_MAX;
    const std::uint64_t next_mark = mark_pending ? edit.mark->at : UINT64_MAX;
    const std::uint64_t next = std::min({next_run, next_patch, next_mark});
    if (next == UINT64_MAX) return all;
    if (next == next_run) {
      all.add(next_run, record.saved.bytes(run++));
    } else if (next == next_patch) {
      add(*patch++);
    } else {
      add(*edit.mark);
      mark_pending = false;
    }
  }
}

std::string recover_hint(const std::string& path) {
  return fmt::format("the journal is kept; 'shunt faststart --recover {}' goes on from there",
                     path);
}

Result<void> InPlaceJob::open_gap() {
  switch (edit_.room) {
    case RoomKind::kReserved:
      return {};
    case RoomKind::kInserted:
      SHUNT_TRY(file_.insert_range(edit_.gap_at, edit_.gap_size));
      SHUNT_TRY(check_grown());
      view_.set_gap(edit_.gap_at, edit_.gap_size);
      return {};
    case RoomKind::kShifted: {
      // All the space is had before the first byte moves, so that a full disk is met here.
      SHUNT_TRY(extend(ByteRange::of(edit_.size_before, edit_.gap_size)));
      return shift_from(edit_.size_before);
    }
  }
  return {};
}

Result<void> InPlaceJob::shift_from(std::uint64_t cursor) {
  if (options_.progress != nullptr) {
    options_.progress->begin("shifting", cursor - edit_.gap_at);
  }
  return shift_towards_end(make_shift(), {edit_.gap_at, cursor});
}

Result<void> InPlaceJob::write_front(const io::Source& front) {
  SHUNT_TRY(write_source(file_, edit_.front_at.begin, front));
  SHUNT_TRY(clear_rest({edit_.front_at.begin + front.size(), edit_.front_at.end}));
  for (const FieldPatch& patch : edit_.patches) {
    SHUNT_TRY(write_field(file_, patch, edit_.moved(patch.at), patch.new_value));
  }
  // The new front is on disk before the old tail goes.
  return file_.sync_data();
}

Result<void> InPlaceJob::finish_tail() {
  if (edit_.cut_at) SHUNT_TRY(file_.truncate(*edit_.cut_at));
  if (edit_.mark) {
    SHUNT_TRY(write_field(file_, *edit_.mark, edit_.moved(edit_.mark->at), edit_.mark->new_value));
  }
  // The result is on disk before the journal that could rebuild it goes.
  SHUNT_TRY(file_.sync());
  return journal_.remove();
}

Result<bool> InPlaceJob::needed_is_intact() const {
  const Result<std::uint64_t> now = digest_of(view_, edit_.needed);
  if (!now) {
    if (now.error().code == ErrorCode::kCorrupt) return false;  // the file is too short for it
    return now.error();
  }
  return *now == journal_.record().needed_digest;
}

Result<std::uint64_t> InPlaceJob::find_gap() {
  return find_cursor(file_, edit_, journal_.record().holes, [&](std::uint64_t cursor) {
    view_.set_gap(cursor, edit_.gap_size);
    return needed_is_intact();
  });
}

Result<void> InPlaceJob::check_grown() const {
  SHUNT_ASSIGN(const std::uint64_t size, file_.size());
  if (size == edit_.size_with_gap()) return {};
  Error error;
  error.path = file_.path();
  error.operation = "insert a range";
  error.reason =
      fmt::format("the file is {} bytes long afterwards, not {}", size, edit_.size_with_gap());
  return error;
}

Result<void> InPlaceJob::undo() {
  SHUNT_TRY(close_gap());
  view_.set_gap(UINT64_MAX, 0);
  SHUNT_ASSIGN(const bool intact, needed_is_intact());
  if (!intact) {
    Error error;
    error.code = ErrorCode::kIntegrity;
    error.path = file_.path();
    error.operation = "undo";
    error.reason = "the old moov is not where it was";
    return error;
  }
  return restore();
}

Result<void> InPlaceJob::restore() {
  const SavedBytes saved = all_saved(journal_.record());
  SHUNT_TRY(restore_range(saved, saved.zeros()));
  for (std::size_t run = 0; run < saved.count(); ++run) {
    SHUNT_TRY(restore_range(saved, saved.range(run)));
  }
  SHUNT_TRY(file_.sync());
  return journal_.remove();
}

Result<void> InPlaceJob::extend(ByteRange range) {
  Result<void> allocated = file_.allocate(range);
  if (allocated || allocated.error().code != ErrorCode::kUnsuitable) return allocated;
  return write_zeros(file_, range);  // a file system that cannot reserve
}

Shift InPlaceJob::make_shift() {
  Shift shift;
  shift.file = &file_;
  shift.distance = edit_.gap_size;
  shift.unit = edit_.unit;
  shift.set_cursor = [this](std::uint64_t cursor) -> Result<void> {
    SHUNT_TRY(journal_.set_cursor(cursor));
    view_.set_gap(cursor, edit_.gap_size);
    return {};
  };
  shift.should_stop = [this] {
    return options_.cancel != nullptr && options_.cancel->requests() > heeded_;
  };
  shift.progress = options_.progress;
  return shift;
}

// Writes only what differs, so that a file that was never touched keeps its times.
Result<void> InPlaceJob::restore_range(const SavedBytes& saved, ByteRange range) {
  std::vector<std::byte> now(std::min<std::uint64_t>(range.size(), kFrontBuffer));
  std::vector<std::byte> then(now.size());
  for (std::uint64_t at = range.begin; at < range.end;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(now.size(), range.end - at));
    // After a failed sync the cache may differ from the disk: compare with what the disk has.
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

// Zeros behind the front, where there is a gap: what a reader would find there are old bytes.
Result<void> InPlaceJob::clear_rest(ByteRange rest) {
  switch (edit_.room) {
    case RoomKind::kReserved:
      return {};
    case RoomKind::kInserted:
      // The insertion left a hole; only the bytes that came to lie behind it are old.
      rest.begin = std::clamp(edit_.gap_at + edit_.gap_size, rest.begin, rest.end);
      return write_zeros(file_, rest);
    case RoomKind::kShifted:
      return clear_range(file_, rest, edit_.unit);
  }
  return {};
}

Result<void> InPlaceJob::close_gap() {
  if (edit_.gap_size == 0) return {};
  SHUNT_ASSIGN(const std::uint64_t size, file_.size());
  if (size <= edit_.size_before) return {};
  if (edit_.room == RoomKind::kShifted) {
    SHUNT_TRY(journal_.settle_cursor());
    const ByteRange moved{journal_.cursor(), edit_.size_before};
    if (options_.progress != nullptr) options_.progress->begin("undoing", moved.size());
    SHUNT_TRY(shift_back(make_shift(), moved));
    view_.set_gap(UINT64_MAX, 0);
    return file_.truncate(edit_.size_before);
  }
  SHUNT_ASSIGN(const std::uint64_t cursor, find_gap());
  view_.set_gap(UINT64_MAX, 0);
  // A collapse may not reach the end of the file; a hole that does is cut off instead.
  if (cursor + edit_.gap_size >= size) return file_.truncate(edit_.size_before);
  return file_.collapse_range(cursor, edit_.gap_size);
}

}  // namespace shunt::layout
