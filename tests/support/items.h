// Item metadata and sample auxiliary information: the other tables that hold absolute offsets.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "support/boxes.h"
#include "support/tracks.h"

namespace shunt::test {

// iloc (ISO/IEC 14496-12, 8.11.3). The address of an extent is the item's base plus its offset.
struct ItemExtent {
  Position offset = {};  // may be a Position of its own, or a number to add to the base
  std::uint64_t length = 0;
  std::string relative_to = {};  // a label whose address is taken off the offset
};

struct Item {
  std::uint32_t id = 1;
  unsigned construction_method =
      0;  // 0: offset in the file; 1: in idat. Not 0 only from version 1 on
  std::uint16_t data_reference = 0;  // 0: this file
  Position base = {};
  std::vector<ItemExtent> extents = {};
};

struct ItemLocations {
  unsigned version = 0;  // 0, 1 or 2
  int offset_size = 4;   // each 0, 4 or 8
  int length_size = 4;
  int base_offset_size = 4;
  int index_size = 0;  // from version 1 on
  std::vector<Item> items = {};
};

[[nodiscard]] Blob iloc(const ItemLocations& locations);

// A meta box with a hdlr, an iinf that names the items, the iloc, and then `extra` (idat, ...).
[[nodiscard]] Blob meta(const ItemLocations& locations, const Blob& extra = {});

// Common-encryption-like auxiliary information of a track: `senc` holds 8 bytes per sample,
// labelled
// "<label>" on the first of them; saiz gives their size; saio points at the label.
// The type of the information is 'shnt', so that FFmpeg does not try to decrypt.
[[nodiscard]] Blob senc(const Track& track, std::string_view label);
[[nodiscard]] Blob sample_aux_data(const Track& track, std::string_view label);  // senc's, bare
[[nodiscard]] Blob saiz(const Track& track);
[[nodiscard]] Blob saio(unsigned version, const std::vector<Position>& offsets,
                        std::string_view minus = {});

}  // namespace shunt::test
