#include "layout/in_place.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>

#include "base/checked.h"
#include "io/transfer.h"
#include "layout/shift.h"
#include "layout/torn_insert.h"

namespace shunt::layout {
namespace {

constexpr std::size_t kFrontBuffer = std::size_t{1} << 20;

Result<std::uint64_t> digest(const io::Source& source, ByteRange range) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<std::byte> buffer(std::min<std::uint64_t>(range.size(), kFrontBuffer));
  for (std::uint64_t at = range.begin; at < range.end;) {
    const auto part = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.end - at)));
    SHUNT_TRY(io::read_exactly(source, at, part));
    XXH3_64bits_update(state.get(), part.data(), part.size());
    at += part.size();
  }
  return XXH3_64bits_digest(state.get());
}

Result<void> fill_zeros(io::File& file, ByteRange range) {
  if (range.empty()) return {};
  const std::vector<std::byte> zeros(
      static_cast<std::size_t>(std::min<std::uint64_t>(range.size(), kFrontBuffer)));
  for (std::uint64_t at = range.begin; at < range.end;) {
    const auto part = std::span(zeros).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), range.end - at)));
    SHUNT_TRY(file.write_at(at, part));
    at += part.size();
  }
  return {};
}

// Zeros in `range`: holes for its whole blocks where that is possible, written bytes otherwise.
Result<void> clear(io::File& file, ByteRange range, std::uint64_t unit) {
  const ByteRange blocks{round_up(range.begin, unit), round_down(range.end, unit)};
  if (blocks.begin >= blocks.end) return fill_zeros(file, range);
  SHUNT_TRY(fill_zeros(file, {range.begin, blocks.begin}));
  const Result<void> punched = file.punch_hole(blocks);
  if (!punched) {
    if (punched.error().code != ErrorCode::kUnsuitable) return punched.error();
    SHUNT_TRY(fill_zeros(file, blocks));
  }
  return fill_zeros(file, {blocks.end, range.end});
}

Result<void> write_field(io::File& file, const FieldPatch& patch, std::uint64_t at,
                         std::uint64_t value) {
  const FieldPatch::Bytes bytes = patch.encode(value);
  return file.write_at(at, std::span(bytes).first(patch.width));
}

// What an undo and a look at the original need besides the file itself: everything that the edit
// overwrites, by its old place.
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

// One edit on one file, from whatever point it has come to.
class Job {
 public:
  Job(io::File& file, OriginalView& view, const InPlaceEdit& edit, Journal journal,
      const InPlaceOptions& options)
      : file_(file), view_(view), edit_(edit), journal_(std::move(journal)), options_(options) {}

  Journal& journal() { return journal_; }
  // Requests to stop that have been answered, by going back or by going on, no longer count.
  void heed_requests() { heeded_ = options_.cancel != nullptr ? options_.cancel->requests() : 0; }

  Result<void> open_gap() {
    switch (edit_.room) {
      case RoomKind::kReserved:
        return {};
      case RoomKind::kInserted:
        SHUNT_TRY(file_.insert_range(edit_.gap_at, edit_.gap_size));
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

  // Moves what is still in front of `cursor`.
  Result<void> shift_from(std::uint64_t cursor) {
    if (options_.progress != nullptr) {
      options_.progress->begin("shifting", cursor - edit_.gap_at);
    }
    return shift_towards_end(make_shift(), {edit_.gap_at, cursor});
  }

  // Steps 3 and the sync behind it.
  Result<void> write_front(const io::Source& front) {
    const auto fill = [&, at = std::uint64_t{0}](io::Block& block) mutable -> Result<bool> {
      if (at == front.size()) return false;
      block.at = edit_.front_at.begin + at;
      SHUNT_ASSIGN(const std::size_t got, front.read_at(at, block.data));
      block.data = block.data.first(got);
      at += got;
      return got > 0;
    };
    const auto drain = [&](const io::Block& block) { return file_.write_at(block.at, block.data); };
    io::TransferOptions transfer_options;
    transfer_options.buffer_size =
        static_cast<std::size_t>(std::min<std::uint64_t>(front.size() + 1, kFrontBuffer));
    SHUNT_TRY(io::transfer(fill, drain, transfer_options));
    SHUNT_TRY(clear_rest({edit_.front_at.begin + front.size(), edit_.front_at.end}));
    for (const FieldPatch& patch : edit_.patches) {
      SHUNT_TRY(write_field(file_, patch, edit_.moved(patch.at), patch.new_value));
    }
    // The new front is on disk before the old tail goes.
    return file_.sync_data();
  }

  // Steps 4 and 5. From here on there is no way back, only forward.
  Result<void> finish_tail() {
    if (edit_.cut_at) SHUNT_TRY(file_.truncate(*edit_.cut_at));
    if (edit_.mark) {
      SHUNT_TRY(
          write_field(file_, *edit_.mark, edit_.moved(edit_.mark->at), edit_.mark->new_value));
    }
    // The result is on disk before the journal that could rebuild it goes.
    SHUNT_TRY(file_.sync());
    return journal_.remove();
  }

  // Brings back the original, from any point before the tail was touched.
  Result<void> undo() {
    SHUNT_TRY(close_gap());
    return restore();
  }

  // The rest of an undo, once the old bytes are at their old places again.
  Result<void> restore() {
    const SavedBytes saved = all_saved(journal_.record());
    SHUNT_TRY(restore_range(saved, saved.zeros()));
    for (std::size_t run = 0; run < saved.count(); ++run) {
      SHUNT_TRY(restore_range(saved, saved.range(run)));
    }
    SHUNT_TRY(file_.sync());
    return journal_.remove();
  }

 private:
  Result<void> extend(ByteRange range) {
    Result<void> allocated = file_.allocate(range);
    if (allocated || allocated.error().code != ErrorCode::kUnsuitable) return allocated;
    return fill_zeros(file_, range);  // a file system that cannot reserve
  }

  Shift make_shift() {
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
  Result<void> restore_range(const SavedBytes& saved, ByteRange range) {
    std::vector<std::byte> now(std::min<std::uint64_t>(range.size(), kFrontBuffer));
    std::vector<std::byte> then(now.size());
    for (std::uint64_t at = range.begin; at < range.end;) {
      const auto size =
          static_cast<std::size_t>(std::min<std::uint64_t>(now.size(), range.end - at));
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
  Result<void> clear_rest(ByteRange rest) {
    switch (edit_.room) {
      case RoomKind::kReserved:
        return {};
      case RoomKind::kInserted:
        // The insertion left a hole; only the bytes that came to lie behind it are old.
        rest.begin = std::clamp(edit_.gap_at + edit_.gap_size, rest.begin, rest.end);
        return fill_zeros(file_, rest);
      case RoomKind::kShifted:
        return clear(file_, rest, edit_.unit);
    }
    return {};
  }

  Result<void> close_gap() {
    if (edit_.gap_size == 0) return {};
    SHUNT_ASSIGN(const std::uint64_t size, file_.size());
    if (size <= edit_.size_before) return {};
    if (edit_.room == RoomKind::kShifted) {
      const ByteRange moved{journal_.cursor(), edit_.size_before};
      if (options_.progress != nullptr) options_.progress->begin("undoing", moved.size());
      SHUNT_TRY(shift_back(make_shift(), moved));
      view_.set_gap(UINT64_MAX, 0);
      return file_.truncate(edit_.size_before);
    }
    SHUNT_ASSIGN(const std::uint64_t cursor, find_cursor(file_, edit_, journal_.record().holes));
    view_.set_gap(UINT64_MAX, 0);
    // A collapse may not reach the end of the file; a hole that does is cut off instead.
    if (cursor + edit_.gap_size >= size) return file_.truncate(edit_.size_before);
    return file_.collapse_range(cursor, edit_.gap_size);
  }

  io::File& file_;
  OriginalView& view_;
  const InPlaceEdit& edit_;
  Journal journal_;
  const InPlaceOptions& options_;
  int heeded_ = 0;
};

std::string recover_hint(const std::string& path) {
  return fmt::format("the journal is kept; 'shunt faststart --recover {}' goes on from there",
                     path);
}

// Undoes after `error`; what is returned tells whether that went well.
Error undo_after(Job& job, const io::File& file, const Error& error) {
  const Result<void> undone = job.undo();
  if (undone) {
    return error.code == ErrorCode::kUnsuitable ? error
                                                : error.with_hint("the original has been restored");
  }
  Error both = error;
  both.hint = recover_hint(file.path());
  if (undone.error().code == ErrorCode::kInterrupted) return both;
  if (both.code == ErrorCode::kUnsuitable) both.code = undone.error().code;
  both.reason +=
      fmt::format("; then, while undoing: {}: {}", undone.error().operation, undone.error().reason);
  return both;
}

// Whether so much of a shift is done that finishing takes less than undoing.
bool nearly_done(const InPlaceEdit& edit, std::uint64_t cursor) {
  return cursor - edit.gap_at < edit.size_before - cursor;
}

// Opens the gap. A request to stop in the middle of a shift is answered by going back or by going
// on, whichever takes less, so that nobody waits for longer than they have; a second one stops at
// the next step and leaves the journal.
Result<void> open_gap_or_stop(Job& job, const InPlaceEdit& edit) {
  const Result<void> opened = job.open_gap();
  if (opened || opened.error().code != ErrorCode::kInterrupted) return opened;
  job.heed_requests();
  if (!nearly_done(edit, job.journal().cursor())) return opened;
  return job.shift_from(job.journal().cursor());
}

Result<JournalRecord> make_record(const io::File& file, const OriginalView& view,
                                  const InPlaceEdit& edit, const InPlaceOptions& options) {
  JournalRecord record;
  SHUNT_ASSIGN(const struct stat status, file.status());
  record.inode = status.st_ino;
  record.edit = edit;
  record.edit.front = nullptr;
  SHUNT_ASSIGN(record.needed_digest, digest(view, edit.needed));
  SHUNT_ASSIGN(record.saved, SavedBytes::of(view, edit.overwritten, options.max_saved));
  if (edit.room == RoomKind::kInserted) {
    SHUNT_ASSIGN(record.holes, holes_before(file, edit));
  }
  return record;
}

}  // namespace

Result<void> run_in_place(io::File& file, OriginalView& view, const InPlaceEdit& edit,
                          const InPlaceOptions& options) {
  SHUNT_ASSIGN(const JournalRecord record, make_record(file, view, edit, options));
  if (options.cancel != nullptr) SHUNT_TRY(options.cancel->check());
  SHUNT_ASSIGN(Journal journal, Journal::create(file.path(), record, file.counters()));
  Job job(file, view, edit, std::move(journal), options);
  if (Result<void> opened = open_gap_or_stop(job, edit); !opened) {
    const bool in_a_hurry = options.cancel != nullptr && options.cancel->requests() > 1;
    if (opened.error().code == ErrorCode::kInterrupted && in_a_hurry) {
      return opened.error().with_hint(recover_hint(file.path()));
    }
    return undo_after(job, file, opened.error());
  }
  if (Result<void> written = job.write_front(*edit.front); !written) {
    return undo_after(job, file, written.error());
  }
  if (Result<void> finished = job.finish_tail(); !finished) {
    return finished.error().with_hint(recover_hint(file.path()));
  }
  return {};
}

namespace {

// What state the file is in, by its size and its bytes.
struct State {
  enum class Kind { kUntouched, kOpen, kDone } kind = Kind::kOpen;
  std::uint64_t cursor = 0;  // of kOpen with a gap
};

Error not_the_same(const io::File& file, const Journal& journal, std::string_view why) {
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.path = file.path();
  error.operation = "recover";
  error.reason = fmt::format("there is a journal ({}), but {}", journal.path(), why);
  error.hint = "if the file has been replaced on purpose, remove the journal";
  return error;
}

class Recovery {
 public:
  Recovery(io::File& file, Journal journal, const Replan& replan, const InPlaceOptions& options)
      : file_(file),
        record_(journal.record()),
        view_(std::make_shared<OriginalView>(file, record_.edit.size_before)),
        job_(file, *view_, record_.edit, std::move(journal), options),
        replan_(replan) {
    view_->set_saved(all_saved(record_));
  }

  Result<Recovered> run() {
    SHUNT_ASSIGN(const struct stat status, file_.status());
    if (status.st_ino != record_.inode) {
      return not_the_same(file_, job_.journal(), "it belongs to another file");
    }
    SHUNT_ASSIGN(const State state, find_state());
    switch (state.kind) {
      case State::Kind::kDone:
        // The cut was only made when the front was on disk; it may not be on disk itself.
        SHUNT_TRY(file_.sync());
        SHUNT_TRY(job_.journal().remove());
        return Recovered::kFinished;
      case State::Kind::kUntouched:
        SHUNT_TRY(job_.restore());
        return Recovered::kOriginal;
      case State::Kind::kOpen:
        return finish_or_undo(state.cursor);
    }
    return Recovered::kNothing;
  }

 private:
  [[nodiscard]] Result<bool> needed_is_intact() const {
    const Result<std::uint64_t> now = digest(*view_, record_.edit.needed);
    if (!now) {
      if (now.error().code == ErrorCode::kCorrupt) return false;  // the file is too short for it
      return now.error();
    }
    return *now == record_.needed_digest;
  }

  Result<State> find_state() {
    const InPlaceEdit& edit = record_.edit;
    SHUNT_ASSIGN(std::uint64_t size, file_.size());
    if (edit.room == RoomKind::kShifted && job_.journal().cursor() == edit.size_before &&
        size > edit.size_before && size < edit.size_with_gap()) {
      // The space for a shift was being reserved; nothing has moved.
      SHUNT_TRY(file_.truncate(edit.size_before));
      size = edit.size_before;
    }
    if (size == edit.size_before && edit.gap_size > 0) {
      view_->set_gap(UINT64_MAX, 0);
      SHUNT_ASSIGN(const bool intact, needed_is_intact());
      if (intact) return State{State::Kind::kUntouched};
    }
    if (size == edit.size_with_gap()) {
      State state;
      if (edit.room == RoomKind::kShifted) state.cursor = job_.journal().cursor();
      if (edit.room == RoomKind::kInserted) {
        SHUNT_ASSIGN(state.cursor, find_cursor(file_, edit, record_.holes));
      }
      if (edit.gap_size > 0) view_->set_gap(state.cursor, edit.gap_size);
      SHUNT_ASSIGN(const bool intact, needed_is_intact());
      if (intact) return state;
      return not_the_same(file_, job_.journal(), "the file has been changed since");
    }
    if (edit.cut_at == size) return State{State::Kind::kDone};
    return not_the_same(file_, job_.journal(), fmt::format("the file is {} bytes long now", size));
  }

  Result<Recovered> undo() {
    SHUNT_TRY(job_.undo());
    return Recovered::kOriginal;
  }

  Result<Recovered> finish_or_undo(std::uint64_t cursor) {
    const InPlaceEdit& edit = record_.edit;
    // A torn insertion is undone: closing the hole takes one call, moving it to its place two.
    if (edit.room == RoomKind::kInserted && cursor != edit.gap_at) return undo();
    const Result<InPlaceEdit> again = replan_(view_, record_);
    if (!again || again->front->size() > edit.front_at.size()) {
      spdlog::info("{}: the interrupted edit cannot be planned again{}{}", file_.path(),
                   again ? "" : ": ", again ? "" : again.error().describe());
      return undo();
    }
    if (edit.room == RoomKind::kShifted) SHUNT_TRY(job_.shift_from(cursor));
    if (Result<void> written = job_.write_front(*again->front); !written) {
      // No room for it any more, say: then the original it is.
      if (Result<Recovered> undone = undo()) return undone;
      return written.error().with_hint(recover_hint(file_.path()));
    }
    SHUNT_TRY(job_.finish_tail());
    return Recovered::kFinished;
  }

  io::File& file_;
  JournalRecord record_;
  std::shared_ptr<OriginalView> view_;
  Job job_;
  const Replan& replan_;
};

}  // namespace

Result<Recovered> recover_in_place(io::File& file, const Replan& replan,
                                   const InPlaceOptions& options) {
  SHUNT_ASSIGN(std::optional<Journal> journal, Journal::open(file.path()));
  if (!journal) return Recovered::kNothing;
  return Recovery(file, std::move(*journal), replan, options).run();
}

}  // namespace shunt::layout
