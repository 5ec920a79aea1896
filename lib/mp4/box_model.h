// What a box holds that changes when bytes move: its tables of offsets, and the boxes around them
// whose sizes follow. Built by scan_box, sized by grow_for, turned into a Layout by append_moved.
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/budget.h"
#include "shunt/boxes/item_location.h"
#include "shunt/boxes/offset_map.h"
#include "shunt/boxes/offset_table.h"
#include "shunt/io/source.h"
#include "shunt/layout/layout.h"

namespace shunt::mp4 {

// A box around a table, or around another such box.
struct Container {
  boxes::Box box;
  std::int32_t parent = -1;  // index in BoxModel::containers, which comes before this one
};

// A track with data in other files, which do not move.
struct ExternalTrack {
  std::uint32_t id = 0;
  enum class Chunks { kHere, kSome, kAll } away = Chunks::kAll;  // of them; kHere: only fragments
  std::vector<bool> here;  // by sample description, counted from 0
};

// What the fragments of a track leave unsaid (trex; ISO/IEC 14496-12, 8.8.3).
struct FragmentDefaults {
  std::uint32_t track = 0;
  std::uint32_t description = 0;  // counted from 1
  std::uint32_t sample_size = 0;
};

struct BoxModel {
  io::SourcePtr source;  // where `box` lies: the file, or an inflated moov
  boxes::Box box;
  std::vector<Container> containers;
  std::vector<boxes::OffsetTable> tables;           // ascending by place
  std::vector<boxes::ItemLocations> ilocs;          // ascending by place
  std::vector<ExternalTrack> external_tracks;       // ascending by track
  std::vector<FragmentDefaults> fragment_defaults;  // likewise
  bool has_compressed_moov = false;  // a cmov was met; nothing within it was looked at
  // The box ended with the file (size 0) and is to say its size where it goes.
  bool write_own_size = false;

  [[nodiscard]] std::uint64_t growth() const;
  [[nodiscard]] std::uint64_t moved_size() const { return box.range.size() + growth(); }
  [[nodiscard]] std::uint32_t widened_tables() const;
  // By how much it would grow besides if every table widened that can.
  [[nodiscard]] std::uint64_t possible_growth() const;
};

// What to do about samples that would be torn.
enum class Torn { kRefuse, kIgnore };

// Walks `box` and finds all of it. Everything is checked against the box it lies in; a malformed
// box is kCorrupt with its place, and so is one that asks for more than `budget`. `zones` is what
// the maxima of the tables are kept by. Outside moov, there are item locations and no other tables.
Result<BoxModel> scan_box(io::SourcePtr source, const boxes::Box& box, const boxes::Zones& zones,
                          boxes::Budget& budget, Torn torn = Torn::kRefuse);

// Widens every table that needs it after `map`, or would if all moved by `slack` more; true when
// that changed anything. `map` is exact for this state of the model. kCorrupt where a table that
// cannot widen no longer fits.
Result<bool> grow_for(BoxModel& model, const boxes::OffsetMap& map, const boxes::Zones& zones,
                      std::uint64_t slack = 0);

// Adds, to a map whose last piece begins at the box, where the parts of the box go that its growth
// pushes back. `delta` is the shift of its first byte.
void add_inner_pieces(const BoxModel& model, std::int64_t delta, boxes::OffsetMap& map);

// The box as it will be.
Result<void> append_moved(const BoxModel& model, const std::shared_ptr<const boxes::OffsetMap>& map,
                          layout::Layout& layout);

}  // namespace shunt::mp4
