// recover: finds out the state an interrupted edit left the file in, and finishes or undoes it.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "shunt/base/log.h"
#include "shunt/in_place/edit_job.h"
#include "shunt/in_place/in_place.h"
#include "shunt/in_place/torn_insert.h"
#include "shunt/io/page_cache.h"
#include "shunt/io/source.h"

namespace shunt::in_place {
namespace {

// The state of the file, judged by its size and bytes.
struct State {
  enum class Kind { kUntouched, kOpen, kDone } kind = Kind::kOpen;
  std::uint64_t cursor = 0;  // for kOpen with a gap
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
  Recovery(io::File& file, Journal journal, const Replan& replan, const Options& options)
      : file_(file),
        record_(journal.record()),
        view_(std::make_shared<OriginalView>(file, record_.edit.size_before)),
        job_(file, *view_, record_.edit, std::move(journal), options),
        replan_(replan) {
    view_->set_saved(all_saved(record_));
  }

  Result<Recovered> run() {
    const Result<Recovered> done = recover();
    return done ? done : done.error().with_hint(job_.recover_hint());
  }

 private:
  Result<Recovered> recover() {
    SHUNT_ASSIGN(const struct stat status, file_.status());
    const std::int64_t born = file_.born();
    const bool born_then = born == 0 || record_.born == 0 || born == record_.born;
    if (status.st_ino != record_.inode || !born_then) {
      return not_the_same(file_, job_.journal(), "it belongs to another file");
    }
    SHUNT_ASSIGN(const State state, find_state());
    switch (state.kind) {
      case State::Kind::kDone:
        SHUNT_TRY(job_.settle_times());
        // The cut was made after the front was on disk, but may not be on disk itself.
        SHUNT_TRY(file_.sync());
        SHUNT_TRY(job_.journal().remove(file_));
        return Recovered::kFinished;
      case State::Kind::kUntouched:
        SHUNT_TRY(job_.restore());
        return Recovered::kOriginal;
      case State::Kind::kOpen:
        return finish_or_undo(state.cursor);
    }
    return Recovered::kNothing;
  }

  Result<State> find_state() {
    const Edit& edit = record_.edit;
    if (edit.room == RoomKind::kShifted) {
      SHUNT_TRY(job_.journal().has_cursor() ? settle_last_step() : job_.give_back_space());
    }
    // The file may be longer than the edit made it, if another program has appended data.
    SHUNT_ASSIGN(const std::uint64_t size, file_.size());
    const Result<std::optional<State>> before_cut = find_before_cut(size);
    if (before_cut && *before_cut) return **before_cut;
    if (!before_cut && before_cut.error().code != ErrorCode::kIntegrity) return before_cut.error();
    SHUNT_ASSIGN(const bool cut, is_cut(size));
    if (cut) return State{State::Kind::kDone};
    if (!before_cut) return before_cut.error();
    if (size == edit.size_with_gap()) {
      return not_the_same(file_, job_.journal(), "the file has been changed since");
    }
    return not_the_same(file_, job_.journal(), fmt::format("the file is {} bytes long now", size));
  }

  // Returns the state if the old moov is still where the edit would have it; otherwise nullopt.
  Result<std::optional<State>> find_before_cut(std::uint64_t size) {
    const Edit& edit = record_.edit;
    if (edit.gap_size > 0 && size >= edit.size_before) {
      SHUNT_ASSIGN(const bool gap, has_gap(size));
      if (!gap) return find_untouched();
    }
    if (size < edit.size_with_gap()) return std::optional<State>();
    State state;
    if (edit.room == RoomKind::kShifted) state.cursor = job_.journal().cursor();
    if (edit.room == RoomKind::kInserted) {
      const Result<std::uint64_t> cursor = job_.find_gap();
      if (!cursor) {
        SHUNT_ASSIGN(const std::optional<State> untouched, find_untouched());
        if (untouched) return untouched;
        return cursor.error();
      }
      state.cursor = *cursor;
    }
    if (edit.gap_size > 0) view_->set_gap(state.cursor, edit.gap_size);
    SHUNT_ASSIGN(const bool intact, job_.needed_is_intact());
    return intact ? std::optional(state) : std::nullopt;
  }

  Result<std::optional<State>> find_untouched() {
    view_->set_gap(UINT64_MAX, 0);
    SHUNT_ASSIGN(const bool intact, job_.needed_is_intact());
    return intact ? std::optional(State{State::Kind::kUntouched}) : std::nullopt;
  }

  // Returns true if the tail was cut off. Data may have been appended to the result since; then it
  // shows by everything before the cut being done.
  Result<bool> is_cut(std::uint64_t size) const {
    const std::optional<std::uint64_t> cut_at = record_.edit.cut_at;
    if (!cut_at || size < *cut_at) return false;
    if (size == *cut_at) return true;
    return job_.is_written();
  }

  // The bytes of the last step and its cursor were synced at the same time: either may be missing.
  Result<void> settle_last_step() {
    // What a killed process wrote may be in memory only. It must be on disk before anything
    // overwrites the place it came from.
    SHUNT_TRY(file_.sync_data());
    SHUNT_TRY(job_.journal().sync());
    const CursorSlot& step = job_.journal().last_step();
    if (step.from == step.cursor) return {};
    const bool back = step.from < step.cursor;
    const ByteRange moved =
        ByteRange{std::min(step.from, step.cursor), std::max(step.from, step.cursor)}.moved_by(
            back ? 0 : record_.edit.gap_size);
    SHUNT_ASSIGN(const std::uint64_t size, file_.size());
    bool there = moved.end <= size;
    if (there) {
      // Bypass the cache: after a failed sync it may differ from the disk.
      io::drop_cached(file_, moved);
      const io::BorrowedFileSource now(file_, size);
      SHUNT_ASSIGN(const std::uint64_t digest, digest_of(now, moved));
      there = digest == step.digest;
    }
    if (!there) job_.journal().disbelieve_last_step();
    return {};
  }

  // Returns true if it may have a gap: judged by its size, or, if the gap was to be cut off, by the
  // stamp.
  Result<bool> has_gap(std::uint64_t size) {
    const Edit& edit = record_.edit;
    if (edit.room == RoomKind::kInserted) return size >= edit.size_with_gap();
    if (!job_.journal().has_cursor()) return false;
    const std::uint64_t cursor = job_.journal().cursor();
    if (size < std::max(cursor, edit.size_before) + edit.gap_size) return false;
    return job_.journal().cut_comes_next() ? job_.cut_is_to_come() : true;
  }

  Result<Recovered> undo() {
    SHUNT_TRY(job_.undo());
    return Recovered::kOriginal;
  }

  Result<Recovered> finish_or_undo(std::uint64_t cursor) {
    const Edit& edit = record_.edit;
    // A torn insertion is undone: closing the hole takes one call, moving it takes two.
    if (edit.room == RoomKind::kInserted && cursor != edit.gap_at) return undo();
    const Result<Edit> again = replan_(view_, record_);
    if (!again || again->front->size() > edit.front_at.size()) {
      log::info("{}: the interrupted edit cannot be planned again{}{}", file_.path(),
                again ? "" : ": ", again ? "" : again.error().describe());
      return undo();
    }
    if (edit.room == RoomKind::kShifted) SHUNT_TRY(job_.shift_from(cursor));
    if (Result<void> written = job_.write_front(*again->front); !written) {
      // For example, there is no space left: then restore the original.
      if (Result<Recovered> undone = undo()) return undone;
      return written.error();
    }
    SHUNT_ASSIGN(const std::uint64_t appended, job_.finish_tail());
    if (appended > 0) {
      log::info("{}: another program has appended {} bytes to it; nothing was cut off",
                file_.path(), appended);
    }
    return Recovered::kFinished;
  }

  io::File& file_;
  JournalRecord record_;
  std::shared_ptr<OriginalView> view_;
  Job job_;
  const Replan& replan_;
};

}  // namespace

Result<Recovered> recover(const files::Directory& directory, io::File& file, const Replan& replan,
                          const Options& options) {
  SHUNT_ASSIGN(std::optional<Journal> journal, Journal::open(directory, file));
  if (!journal) return Recovered::kNothing;
  return Recovery(file, std::move(*journal), replan, options).run();
}

}  // namespace shunt::in_place
