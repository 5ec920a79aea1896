// The top level of a file: which boxes there are, and where moov is and should be.
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

struct FileMap {
  std::uint64_t size = 0;
  boxes::Box moov;
  // No mdat, imda or moof stands in front of moov: see locate_media for what may be media besides.
  // Of what is below, only what lies in front of moov is known then, unless all was asked for.
  bool moov_in_front = false;
  // In front of moov there is something besides an ftyp that could be media; a box of a type that
  // is known to hold other things, or none.
  bool filled_in_front = false;
  bool unknown_in_front = false;
  std::optional<std::uint64_t> ftyp_at;  // of one that comes before mdat, imda and fragments

  // Where moov goes: behind an ftyp that comes before all media, otherwise at the very front; where
  // it is after leave_moov().
  std::uint64_t insert_at = 0;
  // The first of mdat, moof, sidx and their companions: moov goes no further than this, which also
  // keeps every sidx with its moof.
  std::uint64_t first_media = 0;
  std::vector<boxes::Box> free_in_front;  // free and skip in [insert_at, first_media)
  // There are fragments and bytes behind moov: moof and sidx count from themselves, and may count
  // across moov. What lies behind it must then keep its distance from what lies before.
  bool distances_cross_moov = false;
  bool has_fragments = false;               // moof or what leads to one
  std::vector<std::uint64_t> with_offsets;  // where a meta, meco, moof, mfra or uuid begins

  [[nodiscard]] bool moov_is_last() const { return moov.range.end == size; }
  // What is left for the tables, with these lists.
  [[nodiscard]] Result<boxes::Budget> budget() const;
  // For a file whose media begins before its ftyp.
  void put_moov_first() { insert_at = 0; }
  // For a moov that is in front and stays there: all that is behind it moves by one distance.
  void leave_moov() {
    insert_at = moov.range.begin;
    distances_cross_moov = false;
  }
};

enum class MapUpTo { kMoovInFront, kEnd };

// Reads the headers of the top level, unless told otherwise up to moov when that is in front.
// kCorrupt: no moov, two of them, a box that reaches past the end before moov was found, a kind
// that cannot be moved safely.
Result<FileMap> map_file(const io::Source& source, MapUpTo up_to = MapUpTo::kMoovInFront);

// What a streaming reader learns from one top-level header: whether moov is in front.
enum class FrontBox { kMoov, kMedia, kOther };
[[nodiscard]] FrontBox classify_front(boxes::BoxType type);

}  // namespace shunt::mp4
