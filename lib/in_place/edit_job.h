// The steps of an in-place edit, used to run it (in_place.cc) and to recover it (recovery.cc).
// Private to this room.
#pragma once

#include <cstdint>
#include <string>

#include "shunt/base/result.h"
#include "shunt/in_place/edit.h"
#include "shunt/in_place/in_place.h"
#include "shunt/in_place/journal.h"
#include "shunt/in_place/original_view.h"
#include "shunt/in_place/shift.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

// Returns the XXH3-64 of `range`, as the journal keeps it for Edit::needed.
Result<std::uint64_t> digest_of(const io::Source& source, ByteRange range);

// Returns everything that the edit overwrites, by its old offset: what an undo and a view of the
// original need besides the file itself.
SavedBytes all_saved(const JournalRecord& record);

// Returns kBusy: another program appended `size` bytes.
Error appended_error(const io::File& file, std::uint64_t size);

// One edit of one file, from whatever point it has reached. One thread. Owns the journal;
// everything else outlives it.
class Job {
 public:
  Job(io::File& file, OriginalView& view, const Edit& edit, Journal journal, const Options& options)
      : file_(file), view_(view), edit_(edit), journal_(std::move(journal)), options_(options) {}

  Journal& journal() { return journal_; }
  // Returns the hint for an edit that was neither finished nor undone.
  [[nodiscard]] std::string recover_hint() const;
  // Marks requests to stop as answered, by undoing or by going on; they no longer count.
  void heed_requests() { heeded_ = options_.context.requests(); }

  // Step 2. Returns kInterrupted in the middle of a shift if asked to stop, and kBusy if another
  // program changed the size of the file.
  Result<void> open_gap();
  // From now on a shift continues when another program appends data. The data is kept: finish_tail
  // handles it.
  void let_grow() { watching_ = false; }
  // Moves the bytes that are still in front of `cursor`.
  Result<void> shift_from(std::uint64_t cursor);
  // Step 3, with its sync.
  Result<void> write_front(const io::Source& front);
  // Steps 4 and 5. From here on the edit can only be finished. Returns the number of bytes that
  // another program appended: they are kept, and the old moov is marked instead of cut off.
  Result<std::uint64_t> finish_tail();

  // Returns true if the bytes that the front is computed from, read through the view, are
  // unchanged.
  [[nodiscard]] Result<bool> needed_is_intact() const;
  // Returns true if the front and the patches are in place, so that only the tail is left to do.
  [[nodiscard]] Result<bool> is_written() const;
  // Returns true if the gap that was to be cut off next, at the journal's cursor, is still there.
  [[nodiscard]] Result<bool> cut_is_to_come() const;
  // Finds the gap of an insertion by the extents and by the needed bytes, and sets the view to it.
  Result<std::uint64_t> find_gap();

  // Restores the original, from any point before the tail was touched. Data that another program
  // appended then follows it.
  Result<void> undo();
  // Shift without a cursor, so that nothing has moved: removes the space reserved for it, and
  // nothing else.
  Result<void> give_back_space();
  // Restores the file's time of modification, if asked for. Called before the sync that ends an
  // edit.
  [[nodiscard]] Result<void> settle_times();
  // The rest of an undo, once the old bytes are back at their old places.
  Result<void> restore();

 private:
  Result<void> extend(ByteRange range, bool alone);
  [[nodiscard]] Result<void> check_size(std::uint64_t expected) const;
  // Returns where the last non-zero byte of `range` ends; the begin of `range` if all are zero.
  [[nodiscard]] Result<std::uint64_t> end_of_content(ByteRange range) const;
  Result<void> reserve_space();
  [[nodiscard]] Shift make_shift();
  Result<void> clear_rest(ByteRange rest);
  Result<void> close_gap();
  Result<void> close_shifted_gap();
  Result<void> announce_cut(std::uint64_t end);
  Result<void> close_gap_at_end();
  Result<void> restore_range(const SavedBytes& saved, ByteRange range);

  io::File& file_;
  OriginalView& view_;
  const Edit& edit_;
  Journal journal_;
  const Options& options_;
  int heeded_ = 0;
  bool watching_ = false;        // a shift stops when another program appends data
  bool gap_may_be_open_ = true;  // false while this object knows that it is closed
};

}  // namespace shunt::in_place
