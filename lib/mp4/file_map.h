// The top level of a file: which boxes there are, and where moov is and should be.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/byte_range.h"
#include "base/result.h"
#include "io/source.h"
#include "mp4/box.h"

namespace shunt::mp4 {

struct FileMap {
  std::uint64_t size = 0;
  Box moov;
  bool moov_in_front = false;  // nothing below is filled in then

  // Where moov goes: behind an ftyp that comes before all media, otherwise at the very front.
  std::uint64_t insert_at = 0;
  // The first of mdat, moof, sidx and their companions: moov goes no further than this, which also
  // keeps every sidx with its moof.
  std::uint64_t first_media = 0;
  std::vector<Box> free_in_front;  // free and skip in [insert_at, first_media)
  // There are fragments and bytes behind moov: moof and sidx count from themselves, and may count
  // across moov. What lies behind it must then keep its distance from what lies before.
  bool distances_cross_moov = false;
  std::vector<Box> with_offsets;  // meta, meco, moof, mfra, uuid: see FieldScan

  [[nodiscard]] bool moov_is_last() const { return moov.range.end == size; }
};

// Reads the headers of the top level, up to moov when that is in front. kCorrupt: no moov, two of
// them, a box that reaches past the end before moov was found, a kind that cannot be moved safely.
Result<FileMap> map_file(const io::Source& source);

// What a streaming reader learns from one top-level header: whether moov is in front.
enum class FrontBox { kMoov, kMedia, kOther };
[[nodiscard]] FrontBox classify_front(BoxType type);

}  // namespace shunt::mp4
