#include "shunt/in_place/edit_job.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "shunt/in_place/gap_stamp.h"
#include "shunt/in_place/torn_insert.h"
#include "shunt/io/lease.h"
#include "shunt/io/page_cache.h"
#include "shunt/io/source.h"
#include "shunt/io/thread.h"
#include "shunt/layout/overwrite.h"

namespace shunt::in_place {
namespace {

constexpr std::size_t kFrontBuffer = std::size_t{1} << 20;

}  // namespace

Error appended_error(const io::File& file, std::uint64_t size) {
  Error error;
  error.code = ErrorCode::kBusy;
  error.path = file.path();
  error.operation = "edit";
  error.reason = fmt::format("another program has appended {} bytes to it in the meantime", size);
  return error;
}

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
  const Edit& edit = record.edit;
  SavedBytes all;
  all.set_zeros(record.saved.zeros());
  std::size_t run = 0;
  auto patch = edit.patches.begin();
  bool mark_pending = edit.mark.has_value();
  const auto add = [&](const layout::FieldPatch& field) {
    const layout::FieldPatch::Bytes bytes = field.encode(field.old_value);
    all.add(field.at, std::span(bytes).first(field.width));
  };
  // Merges three ordered lists.
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

std::string Job::recover_hint() const {
  if (journal_.is_removed()) {
    return "the file is complete and its journal removed; after a power failure the journal may be "
           "back";
  }
  return fmt::format("the journal is kept; to continue: {}", options_.recover_command);
}

Result<void> Job::open_gap() {
  switch (edit_.room) {
    case RoomKind::kReserved:
      return {};
    case RoomKind::kInserted: {
      gap_may_be_open_ = false;
      // The insertion drops them too, but with one processor.
      io::drop_if_much_cached(file_, {edit_.gap_at, edit_.size_before});
      const io::Lease alone(file_);
      SHUNT_TRY(check_size(edit_.size_before));
      gap_may_be_open_ = true;
      SHUNT_TRY(file_.insert_range(edit_.gap_at, edit_.gap_size));
      SHUNT_TRY(check_size(edit_.size_with_gap()));
      view_.set_gap(edit_.gap_at, edit_.gap_size);
      return {};
    }
    case RoomKind::kShifted:
      SHUNT_TRY(reserve_space());
      watching_ = true;
      return shift_from(edit_.size_before);
  }
  return {};
}

// All space is allocated before the first byte moves, so that a full disk shows here. What another
// program appends at the same time lies before or behind it, so that the size shows it.
Result<void> Job::reserve_space() {
  const auto space = ByteRange::of(edit_.size_before, edit_.gap_size);
  gap_may_be_open_ = false;
  {
    const io::Lease lease(file_);
    SHUNT_TRY(check_size(space.begin));
    gap_may_be_open_ = true;
    SHUNT_TRY(extend(space, lease.held()));
  }
  SHUNT_TRY(check_size(space.end));
  // From this cursor on, recovery takes the space as the edit's own, so it must be on disk before.
  SHUNT_TRY(file_.sync_data());
  return journal_.set_cursor(edit_.size_before);
}

Result<void> Job::shift_from(std::uint64_t cursor) {
  options_.context.begin("shifting", cursor - edit_.gap_at);
  SHUNT_TRY(journal_.settle_cursor());
  SHUNT_TRY(shift_towards_end(make_shift(), {edit_.gap_at, cursor}));
  // The bytes of the last step are about to change: its digest must not be checked any more.
  return journal_.set_cursor(edit_.gap_at);
}

Result<void> Job::write_front(const io::Source& front) {
  SHUNT_TRY(layout::write_source(file_, edit_.front_at.begin, front));
  SHUNT_TRY(clear_rest({edit_.front_at.begin + front.size(), edit_.front_at.end}));
  for (const layout::FieldPatch& patch : edit_.patches) {
    SHUNT_TRY(layout::write_field(file_, patch, edit_.moved(patch.at), patch.new_value));
  }
  // The new front must be on disk before the old tail is removed.
  return file_.sync_data();
}

Result<std::uint64_t> Job::finish_tail() {
  const std::uint64_t expected = edit_.size_with_gap();
  std::uint64_t size = expected;
  if (edit_.cut_at) {
    const io::Lease alone(file_);
    SHUNT_ASSIGN(size, file_.size());
    if (size == expected) SHUNT_TRY(file_.truncate(*edit_.cut_at));
  } else {
    SHUNT_ASSIGN(size, file_.size());
  }
  if (size < expected) return check_size(expected).error();
  if (edit_.mark && (!edit_.cut_at || size > expected)) {
    SHUNT_TRY(layout::write_field(file_, *edit_.mark, edit_.moved(edit_.mark->at),
                                  edit_.mark->new_value));
  }
  SHUNT_TRY(settle_times());
  // The result must be on disk before the journal that could rebuild it is removed.
  SHUNT_TRY(file_.sync());
  SHUNT_TRY(journal_.remove(file_));
  return size - expected;
}

Result<void> Job::settle_times() {
  if (!options_.preserve_times) return {};
  const JournalRecord& record = journal_.record();
  return file_.set_modified({record.modified_s, record.modified_ns});
}

Result<bool> Job::needed_is_intact() const {
  const Result<std::uint64_t> now = digest_of(view_, edit_.needed);
  if (!now) {
    if (now.error().code == ErrorCode::kCorrupt) return false;  // the file is too short for it
    return now.error();
  }
  return *now == journal_.record().needed_digest;
}

Result<bool> Job::cut_is_to_come() const {
  return has_stamp(file_, journal_.cursor(), journal_.record().stamp);
}

Result<bool> Job::is_written() const {
  const JournalRecord& record = journal_.record();
  SHUNT_ASSIGN(const std::uint64_t size, file_.size());
  const auto front = ByteRange::of(edit_.front_at.begin, record.front_size);
  if (front.end > size) return false;
  const io::BorrowedFileSource now(file_, size);
  SHUNT_ASSIGN(const std::uint64_t digest, digest_of(now, front));
  if (digest != record.front_digest) return false;
  for (const layout::FieldPatch& patch : edit_.patches) {
    layout::FieldPatch::Bytes bytes{};
    const auto field = std::span(bytes).first(patch.width);
    SHUNT_ASSIGN(const std::size_t got, file_.read_at(edit_.moved(patch.at), field));
    const layout::FieldPatch::Bytes written = patch.encode(patch.new_value);
    if (got < field.size() || !std::ranges::equal(field, std::span(written).first(patch.width))) {
      return false;
    }
  }
  return true;
}

Result<std::uint64_t> Job::find_gap() {
  return find_cursor(file_, edit_, journal_.record().holes,
                     [&](std::uint64_t cursor) -> Result<bool> {
                       if (cursor >= edit_.size_before) {
                         // The insertion has not moved anything yet, and what it added is zeros;
                         // other bytes there are another program's.
                         const auto added = ByteRange::of(edit_.size_before, edit_.gap_size);
                         SHUNT_ASSIGN(const std::uint64_t content, end_of_content(added));
                         if (content > added.begin) return false;
                       }
                       view_.set_gap(cursor, edit_.gap_size);
                       return needed_is_intact();
                     });
}

Result<void> Job::check_size(std::uint64_t expected) const {
  SHUNT_ASSIGN(const std::uint64_t size, file_.size());
  if (size == expected) return {};
  if (size > expected) return appended_error(file_, size - expected);
  Error error = appended_error(file_, 0);
  error.reason = "another program has truncated it";
  return error;
}

Result<std::uint64_t> Job::end_of_content(ByteRange range) const {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(range.size(), kFrontBuffer));
  std::uint64_t end = range.begin;
  for (std::uint64_t at = range.begin; at < range.end;) {
    const auto want =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.end - at));
    const auto part = std::span(buffer).first(want);
    SHUNT_ASSIGN(const std::size_t got, file_.read_at(at, part, io::Caching::kDrop));
    const auto read = part.first(got);
    const auto last = std::find_if(read.rbegin(), read.rend(),
                                   [](std::byte byte) { return byte != std::byte{0}; });
    if (last != read.rend()) end = at + static_cast<std::uint64_t>(read.rend() - last);
    if (got < want) break;
    at += got;
  }
  return end;
}

Result<void> Job::extend(ByteRange range, bool alone) {
  // What another program appends in the meantime would lie within the reserved range, and zeros
  // would overwrite it. While nobody else has the file open there is no such program.
  if (alone) {
    Result<void> allocated = file_.allocate(range);
    if (allocated || allocated.error().code != ErrorCode::kUnsuitable) return allocated;
    // The file system cannot reserve space.
  }
  return append_space(file_, range.size(), journal_.record().stamp);
}

Shift Job::make_shift() {
  Shift shift;
  shift.file = &file_;
  shift.distance = edit_.gap_size;
  shift.unit = edit_.unit;
  shift.settle = [this](const ShiftStep& step) -> Result<void> {
    // The bytes and the cursor are synced at the same time. Both must be on disk before the next
    // step, which overwrites the place the bytes came from.
    SHUNT_TRY(journal_.begin_step(step.to, step.digest));
    SHUNT_ASSIGN(io::Thread noting, io::Thread::start([this] { return journal_.sync(); }));
    const Result<void> synced = file_.sync_data();
    SHUNT_TRY(noting.join());
    SHUNT_TRY(synced);
    journal_.end_step(step.to);
    view_.set_gap(step.to, edit_.gap_size);
    return watching_ ? check_size(edit_.size_with_gap()) : Result<void>();
  };
  shift.should_stop = [this] { return options_.context.requests() > heeded_; };
  shift.progress = options_.context.progress;
  return shift;
}

// Writes zeros behind the front if there is a gap; a reader would find old bytes there.
Result<void> Job::clear_rest(ByteRange rest) {
  switch (edit_.room) {
    case RoomKind::kReserved:
      return {};
    case RoomKind::kInserted:
      // The insertion left a hole; only bytes behind it are old.
      rest.begin = std::clamp(edit_.gap_at + edit_.gap_size, rest.begin, rest.end);
      return layout::write_zeros(file_, rest);
    case RoomKind::kShifted:
      return layout::clear_range(file_, rest, edit_.unit);
  }
  return {};
}

}  // namespace shunt::in_place
