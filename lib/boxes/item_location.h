// iloc: where the items of a meta box lie (ISO/IEC 14496-12, 8.11.3), and the same box after bytes
// have moved, its field widths grown where they have to be.
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
  // `container` is the index of the box around it in its BoxModel. kCorrupt where the box is
  // malformed, or larger than `limit` bytes.
  static Result<ItemLocations> read(io::BufferedReader& reader, const Box& box,
                                    std::int32_t container, std::uint64_t limit);

  [[nodiscard]] const Box& box() const { return box_; }
  [[nodiscard]] std::int32_t container() const { return container_; }
  // By how much the box outgrows what it was, with the widths it has come to.
  [[nodiscard]] std::uint64_t growth() const;

  // Widens fields until every address fits after `map`; true when that changed anything.
  // Addresses that no width can hold stay as they are.
  bool widen_for(const OffsetMap& map);
  // What the data references of the meta box say, by their index less one. 0 is this file anyway,
  // and so is an index that names none, as readers take it.
  void set_references(const std::vector<bool>& here);
  void reset() { widths_ = old_widths_; }
  // The smallest address of an item in this file at or behind `from`.
  [[nodiscard]] std::optional<std::uint64_t> smallest_address(std::uint64_t from) const;
  // The first extent of an item in this file that would not stay together. One without a length
  // reaches to wherever what it lies in ends, and is not looked at.
  [[nodiscard]] std::optional<ByteRange> first_torn(const Zones& zones) const;
  // The whole box with its addresses mapped. widen_for has been called with the same map.
  [[nodiscard]] std::vector<std::byte> rewrite(const OffsetMap& map) const;

 private:
  struct Extent {
    std::uint64_t index = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  struct Item {
    std::uint32_t id = 0;
    std::uint16_t method_word = 0;  // version 1 and 2: 12 reserved bits, construction_method
    std::uint16_t data_reference = 0;
    std::uint64_t base = 0;
    std::vector<Extent> extents;
    bool referenced_here = false;  // data_reference names this file
    // Only these hold positions in the file: method 0, and the data in this file.
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

  // Moves the addresses of `item` in the first way that fits `widths`; when none does, widens.
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
