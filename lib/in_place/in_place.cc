// run_edit: runs an edit from its journal to its end, or undoes it.
#include "shunt/in_place/in_place.h"

#include <fmt/format.h>

#include "shunt/base/catching.h"
#include "shunt/in_place/edit_job.h"
#include "shunt/in_place/gap_stamp.h"
#include "shunt/in_place/torn_insert.h"

namespace shunt::in_place {
namespace {

// Undoes the edit after `error`; the returned error says whether that succeeded.
Error undo_after(Job& job, const Error& error) {
  const Result<void> undone = catching([&] { return job.undo(); });
  if (undone) {
    if (error.code == ErrorCode::kUnsuitable) return error;
    if (error.code == ErrorCode::kBusy) {
      return error.with_hint("the original has been restored, followed by the appended bytes");
    }
    return error.with_hint("the original has been restored");
  }
  Error both = error;
  both.hint = job.recover_hint();
  if (undone.error().code == ErrorCode::kInterrupted) return both;
  if (both.code == ErrorCode::kUnsuitable) both.code = undone.error().code;
  both.reason +=
      fmt::format("; then, while undoing: {}: {}", undone.error().operation, undone.error().reason);
  return both;
}

// Returns true if finishing the shift takes less than undoing it.
bool nearly_done(const Edit& edit, std::uint64_t cursor) {
  return cursor - edit.gap_at < edit.size_before - cursor;
}

// Opens the gap. On a request to stop in the middle of a shift, undoes or finishes it, whichever
// takes less, so that the wait is never longer than the time already spent; a second request stops
// at the next step and leaves the journal. The same if another program appends data.
Result<void> open_gap_or_stop(Job& job, const Edit& edit) {
  const Result<void> opened = job.open_gap();
  if (opened) return opened;
  const bool grown = opened.error().code == ErrorCode::kBusy && job.journal().has_cursor();
  if (!grown && opened.error().code != ErrorCode::kInterrupted) return opened;
  if (!grown) job.heed_requests();
  if (!nearly_done(edit, job.journal().cursor())) return opened;
  if (grown) job.let_grow();
  return job.shift_from(job.journal().cursor());
}

Result<JournalRecord> make_record(const io::File& file, const OriginalView& view, const Edit& edit,
                                  const Options& options) {
  JournalRecord record;
  SHUNT_ASSIGN(const struct stat status, file.status());
  record.inode = status.st_ino;
  record.born = file.born();
  record.modified_s = status.st_mtim.tv_sec;
  record.modified_ns = status.st_mtim.tv_nsec;
  record.edit = edit;
  record.edit.front = nullptr;
  SHUNT_ASSIGN(record.needed_digest, digest_of(view, edit.needed));
  record.front_size = edit.front->size();
  SHUNT_ASSIGN(record.front_digest, digest_of(*edit.front, {0, record.front_size}));
  record.stamp = new_stamp();
  SHUNT_ASSIGN(record.saved, SavedBytes::of(view, edit.overwritten, options.max_saved));
  if (edit.room == RoomKind::kInserted) {
    SHUNT_ASSIGN(record.holes, holes_before(file, edit));
  }
  return record;
}

}  // namespace

Result<void> run_edit(const files::Directory& directory, io::File& file, OriginalView& view,
                      const Edit& edit, const Options& options) {
  SHUNT_ASSIGN(const JournalRecord record, make_record(file, view, edit, options));
  SHUNT_TRY(options.context.check());
  SHUNT_ASSIGN(Journal journal, Journal::create(directory, file, record, file.counters()));
  Job job(file, view, edit, std::move(journal), options);
  // An exception, such as exhausted memory, is handled like other failures.
  if (Result<void> opened = catching([&] { return open_gap_or_stop(job, edit); }); !opened) {
    const bool in_a_hurry = options.context.requests() > 1;
    if (opened.error().code == ErrorCode::kInterrupted && in_a_hurry) {
      return opened.error().with_hint(job.recover_hint());
    }
    return undo_after(job, opened.error());
  }
  if (Result<void> written = catching([&] { return job.write_front(*edit.front); }); !written) {
    return undo_after(job, written.error());
  }
  const Result<std::uint64_t> appended = catching([&] { return job.finish_tail(); });
  if (!appended) return appended.error().with_hint(job.recover_hint());
  if (*appended > 0) {
    return appended_error(file, *appended)
        .with_hint(fmt::format("{}; nothing was cut off", options.done));
  }
  return {};
}

}  // namespace shunt::in_place
