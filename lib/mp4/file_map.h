// The top level of a file: its boxes, where moov is and where it should go.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/budget.h"
#include "shunt/io/source.h"

namespace shunt::mp4 {

// Offsets and sizes are in bytes.
struct FileMap {
  std::uint64_t size = 0;
  boxes::Box moov;
  // No mdat, imda or moof comes before moov; locate_media finds other media. If true, the members
  // below only cover what lies in front of moov, unless the map goes to the end.
  bool moov_in_front = false;
  // Boxes in front of moov besides ftyp that may be media: of a type known to hold something else,
  // and of an unknown type.
  bool filled_in_front = false;
  bool unknown_in_front = false;
  std::optional<std::uint64_t> ftyp_at;  // ftyp in front of mdat, imda and fragments

  // Where moov goes: behind an ftyp that comes before all media, otherwise to offset 0; its current
  // place after leave_moov().
  std::uint64_t insert_at = 0;
  // Begin of the first mdat, moof, sidx or related box. moov goes no further than this, which also
  // keeps each sidx with its moof.
  std::uint64_t first_media = 0;
  std::vector<boxes::Box> free_in_front;  // free and skip boxes in [insert_at, first_media)
  // There are fragments, and bytes behind moov. Offsets in moof and sidx are relative and may reach
  // across moov, so the distance between what lies before and behind moov must not change.
  bool distances_cross_moov = false;
  bool has_fragments = false;               // moof, or a box that leads to one
  std::vector<std::uint64_t> with_offsets;  // begins of each meta, meco, moof, mfra and uuid

  [[nodiscard]] bool moov_is_last() const { return moov.range.end == size; }
  // Returns the budget for tables that remains after these lists.
  [[nodiscard]] Result<boxes::Budget> budget() const;
  // For a file whose media comes before its ftyp.
  void put_moov_first() { insert_at = 0; }
  // For a moov that is in front and stays there: everything behind it moves by the same distance.
  void leave_moov() {
    insert_at = moov.range.begin;
    distances_cross_moov = false;
  }
};

enum class MapUpTo { kMoovInFront, kEnd };

// Reads the top-level headers: all, or only up to moov if that is in front. Returns kCorrupt if
// there is no moov or more than one, if a box before moov exceeds the file, or if the file has a
// structure that cannot be moved safely.
Result<FileMap> map_file(const io::Source& source, MapUpTo up_to = MapUpTo::kMoovInFront);

// What one top-level header says about whether moov is in front, for a streaming reader.
enum class FrontBox { kMoov, kMedia, kOther };
[[nodiscard]] FrontBox classify_front(boxes::BoxType type);

}  // namespace shunt::mp4
