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

#include "base/result.h"
#include "layout/in_place_edit.h"
#include "layout/saved_bytes.h"

namespace shunt::layout {

struct JournalRecord {
  std::uint64_t inode = 0;
  InPlaceEdit edit;                 // without its front, which is computed again
  std::uint64_t needed_digest = 0;  // XXH3-64 of edit.needed
  SavedBytes saved;
  std::vector<ByteRange> holes;  // of an inserted room: those of the original from gap_at on
};

// The record as bytes, and back. parse_record checks magic, version, checksum and every size, and
// gives kIntegrity for anything else.
[[nodiscard]] std::vector<std::byte> encode_record(const JournalRecord& record);
[[nodiscard]] Result<JournalRecord> parse_record(std::span<const std::byte> bytes);

// A cursor as it stands in one of the two slots behind the record.
struct CursorSlot {
  using Bytes = std::array<std::byte, 24>;
  std::uint64_t sequence = 0;  // from 1; the highest one counts
  std::uint64_t cursor = 0;
};
[[nodiscard]] CursorSlot::Bytes encode_slot(const CursorSlot& slot);
// nullopt for a slot that was never written, or whose writing was cut off.
[[nodiscard]] std::optional<CursorSlot> parse_slot(const CursorSlot::Bytes& bytes);

// An error about a journal that cannot be believed: kIntegrity.
[[nodiscard]] Error damaged_journal(std::string_view why);

}  // namespace shunt::layout
