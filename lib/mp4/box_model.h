// A box whose content changes when bytes move: its offset tables, and the boxes around them, whose
// sizes change. Built by scan_box, sized by grow_for, turned into a Layout by append_moved.
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

// A box that contains a table or another container.
struct Container {
  boxes::Box box;
  std::int32_t parent = -1;  // index in BoxModel::containers, less than its own; -1: none
};

// A track with data in other files. That data does not move.
struct ExternalTrack {
  std::uint32_t id = 0;
  // Which of its chunks; kHere: only data of fragments.
  enum class Chunks { kHere, kSome, kAll } away = Chunks::kAll;
  std::vector<bool> here;  // true: in this file; by sample description, counted from 0
};

// Defaults for fragments of a track (trex; ISO/IEC 14496-12, 8.8.3).
struct FragmentDefaults {
  std::uint32_t track = 0;
  std::uint32_t description = 0;  // counted from 1
  std::uint32_t sample_size = 0;
};

struct BoxModel {
  io::SourcePtr source;  // contains `box`: the file, or an inflated moov
  boxes::Box box;
  std::vector<Container> containers;
  std::vector<boxes::OffsetTable> tables;           // ascending by offset
  std::vector<boxes::ItemLocations> ilocs;          // ascending by offset
  std::vector<ExternalTrack> external_tracks;       // ascending by track
  std::vector<FragmentDefaults> fragment_defaults;  // ascending by track
  bool has_compressed_moov = false;                 // a cmov was found; its content was not scanned
  // The box extends to the end of the file (size 0); its moved copy needs an explicit size.
  bool write_own_size = false;

  [[nodiscard]] std::uint64_t growth() const;
  [[nodiscard]] std::uint64_t moved_size() const { return box.range.size() + growth(); }
  [[nodiscard]] std::uint32_t widened_tables() const;
  // Returns by how much it would grow further if every table that can be widened were.
  [[nodiscard]] std::uint64_t possible_growth() const;
};

// What to do with samples whose bytes would be split.
enum class Torn { kRefuse, kIgnore };

// Scans `box`. Everything is checked against the enclosing box. Returns kCorrupt, with the offset,
// for a malformed box and for one that needs more than `budget`. The largest offsets of the tables
// are kept per zone of `zones`. Outside moov only item locations are found, no other tables.
// `zones` and `budget` are not owned.
Result<BoxModel> scan_box(io::SourcePtr source, const boxes::Box& box, const boxes::Zones& zones,
                          boxes::Budget& budget, Torn torn = Torn::kRefuse);

// Widens every table that needs it after `map`, or would if everything moved by `slack` bytes more.
// Returns true if that changed anything. `map` is exact for the current state of the model. Returns
// kCorrupt if an offset does not fit a table that cannot be widened.
Result<bool> grow_for(BoxModel& model, const boxes::OffsetMap& map, const boxes::Zones& zones,
                      std::uint64_t slack = 0);

// Adds to `map`, whose last piece begins at the box, pieces for the parts of the box that its
// growth moves. `delta` is the shift of its first byte.
void add_inner_pieces(const BoxModel& model, std::int64_t delta, boxes::OffsetMap& map);

// Appends the box with its new content.
Result<void> append_moved(const BoxModel& model, const std::shared_ptr<const boxes::OffsetMap>& map,
                          layout::Layout& layout);

}  // namespace shunt::mp4
