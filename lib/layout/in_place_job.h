// The parts of an in-place edit, for whoever runs it forward (in_place.cc) or finds it interrupted
// (recovery.cc). Private to this room.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "layout/in_place.h"
#include "layout/in_place_edit.h"
#include "layout/journal.h"
#include "layout/original_view.h"
#include "layout/shift.h"

namespace shunt::layout {

// XXH3-64 of `range`, as the journal keeps it of what an edit needs.
Result<std::uint64_t> digest_of(const io::Source& source, ByteRange range);

// What an undo and a look at the original need besides the file itself: everything that the edit
// overwrites, by its old place.
SavedBytes all_saved(const JournalRecord& record);

// What to tell when the journal has to stay.
std::string recover_hint(const std::string& path);

// One edit on one file, from whatever point it has come to. One thread; nothing but the journal is
// owned, and all else outlives it.
class InPlaceJob {
 public:
  InPlaceJob(io::File& file, OriginalView& view, const InPlaceEdit& edit, Journal journal,
             const InPlaceOptions& options)
      : file_(file), view_(view), edit_(edit), journal_(std::move(journal)), options_(options) {}

  Journal& journal() { return journal_; }
  // Requests to stop that have been answered, by going back or by going on, no longer count.
  void heed_requests() { heeded_ = options_.cancel != nullptr ? options_.cancel->requests() : 0; }

  // Step 2. kInterrupted in the middle of a shift when asked to stop.
  Result<void> open_gap();
  // Moves what is still in front of `cursor`.
  Result<void> shift_from(std::uint64_t cursor);
  // Step 3 and the sync behind it.
  Result<void> write_front(const io::Source& front);
  // Steps 4 and 5. From here on there is no way back, only forward.
  Result<void> finish_tail();

  // Whether the bytes that the front is computed from read as they did, through the view.
  [[nodiscard]] Result<bool> needed_is_intact() const;
  // Where the gap of an insertion is, by the extents and by the needed bytes. Sets the view to it.
  Result<std::uint64_t> find_gap();

  // Brings back the original, from any point before the tail was touched.
  Result<void> undo();
  // The rest of an undo, once the old bytes are at their old places again.
  Result<void> restore();

 private:
  Result<void> extend(ByteRange range);
  [[nodiscard]] Result<void> check_grown() const;
  [[nodiscard]] Shift make_shift();
  Result<void> clear_rest(ByteRange rest);
  Result<void> close_gap();
  Result<void> restore_range(const SavedBytes& saved, ByteRange range);

  io::File& file_;
  OriginalView& view_;
  const InPlaceEdit& edit_;
  Journal journal_;
  const InPlaceOptions& options_;
  int heeded_ = 0;
};

}  // namespace shunt::layout
