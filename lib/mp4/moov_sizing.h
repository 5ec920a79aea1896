// How large moov becomes, and how far that moves everything else: the fixpoint of the two.
//
// A larger moov pushes media back, which can push offsets past 4 GiB, which makes tables larger,
// which makes moov larger. Tables only ever grow, so that repeating until nothing changes ends.
#pragma once

#include <cstdint>
#include <memory>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/boxes/offset_map.h"
#include "shunt/io/source.h"
#include "shunt/mp4/box_model.h"
#include "shunt/mp4/field_scan.h"
#include "shunt/mp4/file_map.h"

namespace shunt::mp4 {

// All that is known of a file whose moov is to move.
struct Movie {
  io::SourcePtr source;
  FileMap file;
  boxes::Zones zones;
  BoxModel moov;  // of an inflated moov when the file's is compressed
  FieldModel fields;

  [[nodiscard]] bool compressed() const { return moov.source != source; }
  // The first byte at or behind moov's new place that some table or field points at. What lies
  // between is referred to by nothing; what a free box holds behind it may be of use to somebody
  // (GPS tracks of cameras lie in free boxes).
  [[nodiscard]] std::uint64_t first_referenced() const;
  // Bytes in the free boxes right behind moov, up to one that something points into.
  [[nodiscard]] std::uint64_t room_behind_moov() const;
};

// Reads everything that planning needs, once. When moov is in front already, and not all was asked
// for, `file` alone is filled in. `cancel` as in scan_fields.
Result<Movie> read_movie(io::SourcePtr source, MapUpTo up_to = MapUpTo::kMoovInFront,
                         const CancelToken* cancel = nullptr);

// What room moov is given where it goes.
struct Room {
  std::uint64_t at = 0;        // where the new moov begins; at or behind Movie's insert_at
  std::uint64_t reserved = 0;  // bytes there already that it may use up, or 0
  std::uint64_t unit = 1;      // room is opened in multiples of this
  std::uint64_t padding = 0;   // at least this much stays free behind moov
  std::uint64_t at_least = 0;  // open at least this much
  // Bytes of the old file, from behind `at` on, that become part of the free box, which there has
  // to be then: of a moov that is in front, the old one and the free boxes behind it.
  std::uint64_t joined = 0;
  bool keep_old_moov = true;  // its bytes stay as a free box, unless it is the last box

  // The room to open for a moov of `size`: what is left over is 0, or enough for a free box (8).
  [[nodiscard]] std::uint64_t opened_for(std::uint64_t size) const;
};

struct Sizing {
  std::uint64_t moov_size = 0;
  std::uint64_t shift = 0;      // by how much all that follows `at` moves
  std::uint64_t free_size = 0;  // the free box behind moov, header and all; 0 without one
  std::uint64_t joined = 0;     // what else belongs to that box, and stays as it is
  bool drops_old_moov = false;  // its bytes are gone from the layout
  std::shared_ptr<const boxes::OffsetMap> map;
};

// Sizes `movie` for `room`; widens its tables. kUnsuitable when a reserved room is too small.
Result<Sizing> size_moov(Movie& movie, const Room& room);

// Undoes the widening, so that the movie can be sized for another room.
void reset_sizing(Movie& movie);

}  // namespace shunt::mp4
