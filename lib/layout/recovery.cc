// recover_in_place: what state an interrupted edit left the file in, and the way out of it.
#include <fmt/format.h>

#include <memory>

#include "base/log.h"
#include "layout/in_place.h"
#include "layout/in_place_job.h"
#include "layout/torn_insert.h"

namespace shunt::layout {
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
      SHUNT_ASSIGN(const bool intact, job_.needed_is_intact());
      if (intact) return State{State::Kind::kUntouched};
    }
    if (size == edit.size_with_gap()) {
      State state;
      if (edit.room == RoomKind::kShifted) state.cursor = job_.journal().cursor();
      if (edit.room == RoomKind::kInserted) {
        SHUNT_ASSIGN(state.cursor, job_.find_gap());
      }
      if (edit.gap_size > 0) view_->set_gap(state.cursor, edit.gap_size);
      SHUNT_ASSIGN(const bool intact, job_.needed_is_intact());
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
      log::info("{}: the interrupted edit cannot be planned again{}{}", file_.path(),
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
  InPlaceJob job_;
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
