// The journal of an in-place edit: a file beside the target that is durable before the first byte
// of the target changes, and gone once the last one has. Format: docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "layout/journal_record.h"

namespace shunt::layout {

// One open journal. One owner, one thread.
class Journal {
 public:
  [[nodiscard]] static std::string path_for(const std::string& target);

  // Writes, syncs and names it: a journal that has its name is whole. `target` has no journal yet.
  static Result<Journal> create(const std::string& target, const JournalRecord& record,
                                io::Counters* counters);
  // nullopt when there is none.
  static Result<std::optional<Journal>> open(const std::string& target);

  [[nodiscard]] const JournalRecord& record() const { return record_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  // For a shifted room: old bytes from `cursor` on have been moved. Durable on return.
  Result<void> set_cursor(std::uint64_t cursor);
  // Makes cursor() durable again when writing a later one failed: what was written of that must not
  // be believed, and may be. To be called before bytes move the other way.
  Result<void> settle_cursor();
  // The last cursor that became durable; size_before when none did.
  [[nodiscard]] std::uint64_t cursor() const { return cursor_; }

  // Takes the journal away, durably.
  Result<void> remove();

 private:
  Journal(io::File file, std::string path, JournalRecord record);
  Result<void> read_cursor();
  [[nodiscard]] std::uint64_t slot_at(std::uint64_t sequence) const;

  io::File file_;
  std::string path_;
  JournalRecord record_;
  std::uint64_t record_size_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t cursor_ = 0;
  bool unsettled_ = false;  // a write of a cursor has failed
};

}  // namespace shunt::layout
