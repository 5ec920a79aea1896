// The journal of an in-place edit: a file beside the target that is durable before the first byte
// of the target changes, and gone once the last one has. Format: docs/formats/journal.md.
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

// One open journal. One owner, one thread.
class Journal {
 public:
  // `directory`, not owned, is the one that `target` was opened in, under the last component of its
  // path: the journal lies there, and nowhere that somebody might exchange a name for meanwhile.
  //
  // Writes, syncs and names it: a journal that has its name is whole. `target` has no journal yet.
  static Result<Journal> create(const files::Directory& directory, const io::File& target,
                                const JournalRecord& record, io::Counters* counters);
  // nullopt when there is none. kIntegrity when there is one that is not believed: it is damaged,
  // or not of this user nor of the target's owner.
  static Result<std::optional<Journal>> open(const files::Directory& directory,
                                             const io::File& target);
  // The name of what is there and may be the journal of `target`, which has this name, believed or
  // not. Only looks.
  static Result<std::optional<std::string>> pending(const files::Directory& directory,
                                                    const std::string& name,
                                                    const io::File& target);

  // Takes away what a run that died before its journal was whole has left for the target of this
  // name, if it may. The caller has the target locked.
  static void sweep(const files::Directory& directory, const std::string& name);

  [[nodiscard]] const JournalRecord& record() const { return record_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // For a shifted room: old bytes from `cursor` on have been moved. Durable on return.
  Result<void> set_cursor(std::uint64_t cursor);
  // The same in parts, so that the bytes of a step and the cursor behind it become durable at once:
  // begin_step, then sync while the bytes are being synced too, in whatever thread, then end_step
  // when both have been. A crash meanwhile leaves one cursor or the other; the digest, of the bytes
  // in their new place, tells whether to believe the later one.
  Result<void> begin_step(std::uint64_t cursor, std::uint64_t digest);
  Result<void> sync() { return file_.sync_data(); }
  void end_step(std::uint64_t cursor);
  // The step that the cursor found by open() stands for. Whoever sees that its bytes are not where
  // they should be does not believe it: cursor() is what it was before the step then.
  [[nodiscard]] const CursorSlot& last_step() const { return last_step_; }
  void disbelieve_last_step() { cursor_ = last_step_.from; }
  // The cursor that says that the file is cut there next. The stamp is there, durably, before this
  // is called, and as long as the cut has not been made. Durable on return.
  Result<void> announce_cut(std::uint64_t cursor);
  // Whether cursor() is such a one.
  [[nodiscard]] bool cut_comes_next() const { return cut_comes_next_; }
  // Makes cursor() durable again when writing a later one failed, since what was written of that
  // must not be believed, and may be; or when a cut was announced and does not come, since the
  // stamp is about to be written over. To be called before bytes move again.
  Result<void> settle_cursor();
  // The last cursor that became durable; size_before when none did.
  [[nodiscard]] std::uint64_t cursor() const { return cursor_; }
  // Whether one did.
  [[nodiscard]] bool has_cursor() const { return sequence_ > 0; }

  // Takes the journal away, durably, and the mark on `target`.
  Result<void> remove(const io::File& target);
  // Its name is gone, perhaps not durably.
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
  CursorSlot last_step_;  // of open()
  bool cut_comes_next_ = false;
  bool unsettled_ = false;  // a write of a cursor has failed
  bool removed_ = false;
};

}  // namespace shunt::in_place
