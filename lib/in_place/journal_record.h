// The record of a journal: what is needed to restore the original or to compute the result again.
// Format: docs/formats/journal.md.
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
  std::int64_t born = 0;        // time of creation, as io::File::born(); inode numbers are reused
  std::int64_t modified_s = 0;  // time of modification before the edit: seconds and nanoseconds
  std::int64_t modified_ns = 0;
  Edit edit;                        // without its front, which is computed again
  std::uint64_t needed_digest = 0;  // XXH3-64 of edit.needed
  // Size and digest of the front, to recognise it once the bytes that it was computed from are cut
  // off.
  std::uint64_t front_size = 0;
  std::uint64_t front_digest = 0;
  std::uint64_t stamp = 0;  // stamp in the gap of a shift (in_place/gap_stamp.h)
  SavedBytes saved;
  std::vector<ByteRange> holes;  // for an inserted room: holes of the original from gap_at on
};

// Encodes and parses a record. parse_record checks magic, version, checksum and every size, and
// returns kIntegrity if one is wrong.
[[nodiscard]] std::vector<std::byte> encode_record(const JournalRecord& record);
[[nodiscard]] Result<JournalRecord> parse_record(std::span<const std::byte> bytes);

// A cursor in one of the two slots behind the record, with the step that led to it: `digest` is the
// XXH3-64 of the old bytes between `from` and `cursor`, at the place where the step put them.
struct CursorSlot {
  using Bytes = std::array<std::byte, 48>;
  std::uint64_t sequence = 0;  // from 1; the slot with the higher one counts
  std::uint64_t cursor = 0;
  std::uint64_t from = 0;  // cursor before the step; equal to `cursor` if nothing moved
  std::uint64_t digest = 0;
  // True if the file is cut at `cursor` next. Until that is done, the stamp lies there, at the
  // begin of the gap.
  bool cut_comes_next = false;
};
[[nodiscard]] CursorSlot::Bytes encode_slot(const CursorSlot& slot);
// Returns nullopt for a slot that was never written or was written in part.
[[nodiscard]] std::optional<CursorSlot> parse_slot(const CursorSlot::Bytes& bytes);

// Returns the kIntegrity error of a journal that is not valid.
[[nodiscard]] Error damaged_journal(std::string_view why);

}  // namespace shunt::in_place
