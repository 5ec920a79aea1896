// The parts of an in-place edit, for whoever runs it forward (in_place.cc) or finds it interrupted
// (recovery.cc). Private to this room.
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

// XXH3-64 of `range`, as the journal keeps it of what an edit needs.
Result<std::uint64_t> digest_of(const io::Source& source, ByteRange range);

// What an undo and a look at the original need besides the file itself: everything that the edit
// overwrites, by its old place.
SavedBytes all_saved(const JournalRecord& record);

// Another program has appended so many bytes: kBusy.
Error appended_error(const io::File& file, std::uint64_t size);

// One edit on one file, from whatever point it has come to. One thread; nothing but the journal is
// owned, and all else outlives it.
class Job {
 public:
  Job(io::File& file, OriginalView& view, const Edit& edit, Journal journal, const Options& options)
      : file_(file), view_(view), edit_(edit), journal_(std::move(journal)), options_(options) {}

  Journal& journal() { return journal_; }
  // What to tell when the edit did not come to its end and was not undone either.
  [[nodiscard]] std::string recover_hint() const;
  // Requests to stop that have been answered, by going back or by going on, no longer count.
  void heed_requests() { heeded_ = options_.context.requests(); }

  // Step 2. kInterrupted in the middle of a shift when asked to stop; kBusy when another program
  // has changed the size of the file.
  Result<void> open_gap();
  // From now on a shift goes on whatever is appended meanwhile. It is not lost: finish_tail sees
  // it.
  void let_grow() { watching_ = false; }
  // Moves what is still in front of `cursor`.
  Result<void> shift_from(std::uint64_t cursor);
  // Step 3 and the sync behind it.
  Result<void> write_front(const io::Source& front);
  // Steps 4 and 5. From here on there is no way back, only forward. How many bytes another program
  // has appended, which are kept: the old moov is marked then, where it would have been cut off.
  Result<std::uint64_t> finish_tail();

  // Whether the bytes that the front is computed from read as they did, through the view.
  [[nodiscard]] Result<bool> needed_is_intact() const;
  // Whether the front and the patches are in their places: nothing but the tail is left to do then.
  [[nodiscard]] Result<bool> is_written() const;
  // Whether the gap that was to be cut off next, from the journal's cursor on, is still there.
  [[nodiscard]] Result<bool> cut_is_to_come() const;
  // Where the gap of an insertion is, by the extents and by the needed bytes. Sets the view to it.
  Result<std::uint64_t> find_gap();

  // Brings back the original, from any point before the tail was touched. What another program has
  // appended is behind it then.
  Result<void> undo();
  // Of a shift without a cursor, of which nothing has moved: takes away the space that was reserved
  // for it, and nothing else.
  Result<void> give_back_space();
  // Gives the file its old time of modification, where that is asked for. Before the sync that ends
  // an edit.
  [[nodiscard]] Result<void> settle_times();
  // The rest of an undo, once the old bytes are at their old places again.
  Result<void> restore();

 private:
  Result<void> extend(ByteRange range, bool alone);
  [[nodiscard]] Result<void> check_size(std::uint64_t expected) const;
  // Where the last byte of `range` that is not zero ends; its begin when all are.
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
  bool watching_ = false;        // for what is appended during a shift
  bool gap_may_be_open_ = true;  // false as long as this object knows better
};

}  // namespace shunt::in_place
