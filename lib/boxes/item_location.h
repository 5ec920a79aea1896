// iloc: the locations of a meta box's items (ISO/IEC 14496-12, 8.11.3), and the same box after
// bytes have moved, with wider fields if needed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/offset_map.h"
#include "shunt/boxes/zones.h"
#include "shunt/io/source.h"

namespace shunt::boxes {

class ItemLocations {
 public:
  // `container` is the index of its container in the BoxModel. Returns kCorrupt if the box is
  // malformed or larger than `limit` bytes.
  static Result<ItemLocations> read(io::BufferedReader& reader, const Box& box,
                                    std::int32_t container, std::uint64_t limit);

  [[nodiscard]] const Box& box() const { return box_; }
  [[nodiscard]] std::int32_t container() const { return container_; }
  // Returns by how many bytes the box grows with its current field widths.
  [[nodiscard]] std::uint64_t growth() const;

  // Widens fields until every address fits after `map`. Returns true if that changed anything.
  // Addresses that fit no width are left alone.
  bool widen_for(const OffsetMap& map);
  // Sets whether each data reference is this file, by index less one. Index 0, and an index without
  // an entry, are this file; readers take it so.
  void set_references(const std::vector<bool>& here);
  void reset() { widths_ = old_widths_; }
  // Returns the smallest address at or behind `from` of an item in this file.
  [[nodiscard]] std::optional<std::uint64_t> smallest_address(std::uint64_t from) const;
  // Returns the first extent of an item in this file that would be split. Extents without a length,
  // which reach to the end of their container, are not checked.
  [[nodiscard]] std::optional<ByteRange> first_torn(const Zones& zones) const;
  // Returns the whole box with its addresses mapped. widen_for must have been called with the same
  // map.
  [[nodiscard]] std::vector<std::byte> rewrite(const OffsetMap& map) const;

 private:
  struct Extent {
    std::uint64_t index = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  struct Item {
    std::uint32_t id = 0;
    std::uint16_t method_word = 0;  // versions 1 and 2: 12 reserved bits, construction_method
    std::uint16_t data_reference = 0;
    std::uint64_t base = 0;
    std::vector<Extent> extents;
    bool referenced_here = false;  // data_reference is this file
    // True if the item has offsets into this file: method 0, and data in this file.
    [[nodiscard]] bool in_file() const {
      return (method_word & 0xf) == 0 && (data_reference == 0 || referenced_here);
    }
  };
  struct Widths {
    std::uint8_t offset = 0;
    std::uint8_t length = 0;
    std::uint8_t base = 0;
    std::uint8_t index = 0;
    friend bool operator==(const Widths&, const Widths&) = default;
  };

  // Moves the addresses of `item` in the first way that fits `widths`; widens if none does.
  static void move_item(Item& item, const OffsetMap& map, Widths& widths);
  [[nodiscard]] std::uint64_t payload_size(const Widths& widths) const;

  Box box_;
  std::int32_t container_ = -1;
  std::uint8_t version_ = 0;
  std::uint32_t flags_ = 0;
  Widths old_widths_;
  Widths widths_;
  std::vector<Item> items_;
  std::vector<std::byte> slack_;  // bytes after the last item
};

}  // namespace shunt::boxes
