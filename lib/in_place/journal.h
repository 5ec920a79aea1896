// The journal of an in-place edit: a file beside the target that is durable before the first byte
// of the target changes and is removed after the last one has. Format: docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/files/directory.h"
#include "shunt/in_place/journal_record.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

// An open journal. One owner, one thread.
class Journal {
 public:
  // Writes a journal, syncs it and gives it its name: a journal with its name is complete. `target`
  // has no journal yet. `directory`, not owned, is the one in which `target` was opened under the
  // last component of its path; the journal goes there, so that renames in the path cannot lead
  // elsewhere. `counters` may be null.
  static Result<Journal> create(const files::Directory& directory, const io::File& target,
                                const JournalRecord& record, io::Counters* counters);
  // Opens the journal of `target`; nullopt if there is none. Returns kIntegrity if there is one
  // that is not accepted: it is damaged, or belongs neither to this user nor to the target's owner.
  static Result<std::optional<Journal>> open(const files::Directory& directory,
                                             const io::File& target);
  // Returns the name of the file that may be the journal of `target`, whose name is `name`, whether
  // or not open() would accept it. Opens nothing.
  static Result<std::optional<std::string>> pending(const files::Directory& directory,
                                                    const std::string& name,
                                                    const io::File& target);

  // Removes what a run that died before its journal was complete has left for the target of this
  // name, if permitted. The caller holds the target's lock.
  static void sweep(const files::Directory& directory, const std::string& name);

  [[nodiscard]] const JournalRecord& record() const { return record_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // Shifted room: old bytes from `cursor` on have been moved. Durable on return.
  Result<void> set_cursor(std::uint64_t cursor);
  // set_cursor in parts, so that the bytes of a step and the cursor are synced at the same time:
  // call begin_step, then sync (any thread) while the bytes are being synced, then end_step after
  // both. A crash in between leaves either cursor; the digest of the bytes at their new place shows
  // whether the later one is valid.
  Result<void> begin_step(std::uint64_t cursor, std::uint64_t digest);
  Result<void> sync() { return file_.sync_data(); }
  void end_step(std::uint64_t cursor);
  // The step that led to the cursor that open() found. A caller who sees that its bytes are not in
  // place calls disbelieve_last_step(); cursor() is then the one before the step.
  [[nodiscard]] const CursorSlot& last_step() const { return last_step_; }
  void disbelieve_last_step() { cursor_ = last_step_.from; }
  // Records that the file is cut at `cursor` next. The stamp must be there, durably, before the
  // call and until the cut is made. Durable on return.
  Result<void> announce_cut(std::uint64_t cursor);
  // Returns true if the file is to be cut at cursor().
  [[nodiscard]] bool cut_comes_next() const { return cut_comes_next_; }
  // Makes cursor() durable again. Needed before bytes move again, in two cases: writing a later
  // cursor failed, and that one may be on disk but is not valid; or an announced cut will not be
  // made, and the stamp is about to be overwritten.
  Result<void> settle_cursor();
  // The last cursor that became durable; size_before if none did.
  [[nodiscard]] std::uint64_t cursor() const { return cursor_; }
  // Returns true if a cursor became durable.
  [[nodiscard]] bool has_cursor() const { return sequence_ > 0; }

  // Removes the journal, durably, and the mark on `target`.
  Result<void> remove(const io::File& target);
  // True once its name is removed, perhaps not durably.
  [[nodiscard]] bool is_removed() const { return removed_; }

 private:
  Journal(io::File file, const files::Directory& directory, std::string name, JournalRecord record);
  Result<void> read_cursor();
  Result<void> write_slot(CursorSlot slot);
  [[nodiscard]] std::uint64_t slot_at(std::uint64_t sequence) const;

  io::File file_;
  const files::Directory* directory_;
  std::string name_;
  std::string path_;
  JournalRecord record_;
  std::uint64_t record_size_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t cursor_ = 0;
  CursorSlot last_step_;  // set by open()
  bool cut_comes_next_ = false;
  bool unsettled_ = false;  // writing a cursor has failed
  bool removed_ = false;
};

}  // namespace shunt::in_place
