// Computes the size of the new moov and how far everything else moves: a fixpoint.
//
// A larger moov pushes media back, which can push offsets beyond 4 GiB, which widens tables, which
// makes moov larger. Tables only ever grow, so the iteration ends.
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

// Everything known about a file whose moov is to be moved.
struct Movie {
  io::SourcePtr source;
  FileMap file;
  boxes::Zones zones;
  BoxModel moov;  // the inflated moov if the file's is compressed
  FieldModel fields;

  [[nodiscard]] bool compressed() const { return moov.source != source; }
  // The smallest offset at or behind moov's new place that a table or field points at. Nothing
  // refers to the bytes before it. Free boxes behind it may hold useful data (cameras keep GPS
  // tracks there).
  [[nodiscard]] std::uint64_t first_referenced() const;
  // Number of bytes in free boxes directly behind moov, up to one that something points into.
  [[nodiscard]] std::uint64_t room_behind_moov() const;
};

// Reads everything that planning needs, once. If moov is already in front and `up_to` allows it,
// only `file` is filled in. `cancel` as in scan_fields.
Result<Movie> read_movie(io::SourcePtr source, MapUpTo up_to = MapUpTo::kMoovInFront,
                         const CancelToken* cancel = nullptr);

// The room that moov gets at its new place.
// In bytes.
struct Room {
  std::uint64_t at = 0;        // offset of the new moov; at or behind Movie's insert_at
  std::uint64_t reserved = 0;  // bytes already there that it may use, or 0
  std::uint64_t unit = 1;      // room is opened in multiples of this
  std::uint64_t padding = 0;   // at least this much stays free behind moov
  std::uint64_t at_least = 0;  // open at least this much
  // Bytes of the old file from `at` on that become part of the free box, which must then exist: for
  // a moov that is in front, the old moov and the free boxes behind it.
  std::uint64_t joined = 0;
  bool keep_old_moov = true;  // keep it as a free box unless it is the last box

  // Returns the room to open for a moov of `size`: the rest is 0, or enough for a free box (8
  // bytes).
  [[nodiscard]] std::uint64_t opened_for(std::uint64_t size) const;
};

// The result of size_moov. In bytes.
struct Sizing {
  std::uint64_t moov_size = 0;
  std::uint64_t shift = 0;      // by which everything behind `at` moves
  std::uint64_t free_size = 0;  // size of the free box behind moov, with its header; 0: none
  std::uint64_t joined = 0;     // old bytes that become part of that box unchanged
  bool drops_old_moov = false;  // it is not part of the layout
  std::shared_ptr<const boxes::OffsetMap> map;
};

// Sizes `movie` for `room` and widens its tables. Returns kUnsuitable if a reserved room is too
// small.
Result<Sizing> size_moov(Movie& movie, const Room& room);

// Undoes the widening, so that the movie can be sized for another room.
void reset_sizing(Movie& movie);

}  // namespace shunt::mp4
