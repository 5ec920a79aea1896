// The record of a journal: all that bringing back the original, or computing the result again,
// needs to know. Format: docs/formats/journal.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/in_place/edit.h"
#include "shunt/in_place/saved_bytes.h"

namespace shunt::in_place {

struct JournalRecord {
  std::uint64_t inode = 0;      // of the target
  std::int64_t born = 0;        // when it was made, as io::File::born(); inodes are used again
  std::int64_t modified_s = 0;  // and modified, before the edit: seconds and nanoseconds
  std::int64_t modified_ns = 0;
  Edit edit;                        // without its front, which is computed again
  std::uint64_t needed_digest = 0;  // XXH3-64 of edit.needed
  // Of the front, which is told by them once what it was computed from has been cut off.
  std::uint64_t front_size = 0;
  std::uint64_t front_digest = 0;
  std::uint64_t stamp = 0;  // of the gap of a shift: in_place/gap_stamp.h
  SavedBytes saved;
  std::vector<ByteRange> holes;  // of an inserted room: those of the original from gap_at on
};

// The record as bytes, and back. parse_record checks magic, version, checksum and every size, and
// gives kIntegrity for anything else.
[[nodiscard]] std::vector<std::byte> encode_record(const JournalRecord& record);
[[nodiscard]] Result<JournalRecord> parse_record(std::span<const std::byte> bytes);

// A cursor as it stands in one of the two slots behind the record, and the step that led to it: old
// bytes between `from` and `cursor`, with this XXH3-64 where the step has put them.
struct CursorSlot {
  using Bytes = std::array<std::byte, 48>;
  std::uint64_t sequence = 0;  // from 1; the highest one counts
  std::uint64_t cursor = 0;
  std::uint64_t from = 0;  // the cursor before; the same where nothing moved
  std::uint64_t digest = 0;
  // The file is cut at `cursor` next. The stamp lies there, where the gap begins, until that is
  // done.
  bool cut_comes_next = false;
};
[[nodiscard]] CursorSlot::Bytes encode_slot(const CursorSlot& slot);
// nullopt for a slot that was never written, or whose writing was cut off.
[[nodiscard]] std::optional<CursorSlot> parse_slot(const CursorSlot::Bytes& bytes);

// An error about a journal that cannot be believed: kIntegrity.
[[nodiscard]] Error damaged_journal(std::string_view why);

}  // namespace shunt::in_place
