#include "shunt/boxes/item_location.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "shunt/base/big_endian.h"
#include "shunt/base/checked.h"

namespace shunt::boxes {
namespace {

// Reads integers of 0 to 8 bytes from a payload in memory.
class FieldReader {
 public:
  explicit FieldReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::optional<std::uint64_t> take(std::size_t width) {
    if (bytes_.size() - at_ < width) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      value = value << 8 | std::to_integer<std::uint64_t>(bytes_[at_++]);
    }
    return value;
  }
  [[nodiscard]] std::span<const std::byte> rest() const { return bytes_.subspan(at_); }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

class FieldWriter {
 public:
  void put(std::uint64_t value, std::size_t width) {
    for (std::size_t i = width; i-- > 0;) {
      bytes_.push_back(static_cast<std::byte>(value >> (8 * i) & 0xff));
    }
  }
  void put(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

bool fits(std::uint64_t value, std::uint8_t width) {
  if (width >= 8) return true;
  return width == 0 ? value == 0 : value >> (8 * width) == 0;
}

std::uint8_t width_for(std::uint64_t value) {
  return value > std::numeric_limits<std::uint32_t>::max() ? 8 : 4;
}

bool known_width(std::uint64_t width) {
  return width == 0 || width == 4 || width == 8;
}

}  // namespace

Result<ItemLocations> ItemLocations::read(io::BufferedReader& reader, const Box& box,
                                          std::int32_t container, std::uint64_t limit) {
  ItemLocations result;
  result.box_ = box;
  result.container_ = container;
  if (box.payload().size() > limit) return bad_box(box, "it is larger than supported");
  std::vector<std::byte> payload(static_cast<std::size_t>(box.payload().size()));
  SHUNT_TRY(io::read_exactly(reader.source(), box.payload().begin, payload));
  FieldReader fields(payload);
  const auto cut_off = [&] { return bad_box(box, "its items are truncated"); };

  const auto head = fields.take(4);
  const auto widths = fields.take(2);
  if (!head || !widths) return cut_off();
  result.version_ = static_cast<std::uint8_t>(*head >> 24);
  result.flags_ = static_cast<std::uint32_t>(*head & 0xffffff);
  if (result.version_ > 2) {
    return bad_box(box, fmt::format("version {} is not supported", result.version_));
  }
  result.old_widths_ = {static_cast<std::uint8_t>(*widths >> 12 & 0xf),
                        static_cast<std::uint8_t>(*widths >> 8 & 0xf),
                        static_cast<std::uint8_t>(*widths >> 4 & 0xf),
                        static_cast<std::uint8_t>(result.version_ > 0 ? *widths & 0xf : 0)};
  const Widths& w = result.widths_ = result.old_widths_;
  if (!known_width(w.offset) || !known_width(w.length) || !known_width(w.base) ||
      !known_width(w.index)) {
    return bad_box(box, "a field width is none of 0, 4 and 8");
  }
  const std::size_t id_width = result.version_ < 2 ? 2 : 4;
  const auto count = fields.take(id_width);
  if (!count) return cut_off();
  for (std::uint64_t i = 0; i < *count; ++i) {
    Item item;
    const auto id = fields.take(id_width);
    const auto method = fields.take(result.version_ > 0 ? 2 : 0);
    const auto reference = fields.take(2);
    const auto base = fields.take(w.base);
    const auto extent_count = fields.take(2);
    if (!id || !method || !reference || !base || !extent_count) return cut_off();
    item.id = static_cast<std::uint32_t>(*id);
    item.method_word = static_cast<std::uint16_t>(*method);
    item.data_reference = static_cast<std::uint16_t>(*reference);
    item.base = *base;
    // Extents of width 0 would let a few bytes demand much memory.
    if (w.index + w.offset + w.length == 0 && *extent_count > 1) return cut_off();
    for (std::uint64_t e = 0; e < *extent_count; ++e) {
      const auto index = fields.take(w.index);
      const auto offset = fields.take(w.offset);
      const auto length = fields.take(w.length);
      if (!index || !offset || !length) return cut_off();
      item.extents.push_back({*index, *offset, *length});
    }
    result.items_.push_back(std::move(item));
  }
  result.slack_.assign(fields.rest().begin(), fields.rest().end());
  return result;
}

void ItemLocations::move_item(Item& item, const OffsetMap& map, Widths& widths) {
  if (!item.in_file() || item.extents.empty()) return;
  std::vector<std::uint64_t> targets;
  std::optional<std::int64_t> shared_delta;  // shift of all extents, if it is the same
  bool uniform = true;
  for (const Extent& extent : item.extents) {
    const auto address = checked_add(item.base, extent.offset);
    const auto target = address ? map.map(*address) : std::nullopt;
    if (!target) return;  // outside the file
    const std::int64_t delta = map.stretch_at(*address).delta;
    uniform = uniform && (!shared_delta || *shared_delta == delta);
    shared_delta = delta;
    targets.push_back(*target);
  }
  if (uniform && *shared_delta == 0) return;

  if (uniform) {
    const auto base = checked_shift(item.base, *shared_delta);
    if (base && widths.base > 0 && fits(*base, widths.base)) {
      item.base = *base;
      return;
    }
  }
  const auto offsets_fit = [&](std::uint64_t base) {
    return std::ranges::all_of(targets, [&](std::uint64_t target) {
      return target >= base && fits(target - base, widths.offset);
    });
  };
  // If extents move differently, or there is no base field, their offsets take the shift.
  for (const std::uint64_t base : {item.base, std::uint64_t{0}}) {
    if (!offsets_fit(base)) continue;
    item.base = base;
    for (std::size_t i = 0; i < targets.size(); ++i) item.extents[i].offset = targets[i] - base;
    return;
  }
  const auto moved_base = uniform ? checked_shift(item.base, *shared_delta) : std::nullopt;
  if (moved_base) {
    widths.base = std::max(widths.base, width_for(*moved_base));
  } else {
    widths.offset = std::max(widths.offset, width_for(*std::ranges::max_element(targets)));
  }
  move_item(item, map, widths);
}

std::uint64_t ItemLocations::payload_size(const Widths& widths) const {
  std::uint64_t size = 6 + (version_ < 2 ? 2 : 4) + slack_.size();
  for (const Item& item : items_) {
    size += (version_ < 2 ? 2U : 4U) + (version_ > 0 ? 2U : 0U) + 2U + widths.base + 2U;
    size += item.extents.size() * (std::size_t{widths.index} + widths.offset + widths.length);
  }
  return size;
}

std::uint64_t ItemLocations::growth() const {
  return payload_size(widths_) - payload_size(old_widths_);
}

void ItemLocations::set_references(const std::vector<bool>& here) {
  for (Item& item : items_) {
    const std::uint16_t index = item.data_reference;
    item.referenced_here = index == 0 || index > here.size() || here[index - 1U];
  }
}

std::optional<std::uint64_t> ItemLocations::smallest_address(std::uint64_t from) const {
  std::optional<std::uint64_t> smallest;
  for (const Item& item : items_) {
    if (!item.in_file()) continue;
    for (const Extent& extent : item.extents) {
      const auto address = checked_add(item.base, extent.offset);
      if (address && *address >= from) smallest = std::min(*address, smallest.value_or(*address));
    }
  }
  return smallest;
}

std::optional<ByteRange> ItemLocations::first_torn(const Zones& zones) const {
  for (const Item& item : items_) {
    if (!item.in_file()) continue;
    for (const Extent& extent : item.extents) {
      const auto address = checked_add(item.base, extent.offset);
      if (!address || !zones.tears(*address, extent.length)) continue;
      return ByteRange{*address, checked_add(*address, extent.length).value_or(UINT64_MAX)};
    }
  }
  return std::nullopt;
}

bool ItemLocations::widen_for(const OffsetMap& map) {
  const Widths before = widths_;
  // Widening a field for one item may change how earlier items fit; widths only grow.
  for (Widths last; !(last == widths_);) {
    last = widths_;
    for (const Item& item : items_) {
      Item trial = item;
      move_item(trial, map, widths_);
    }
  }
  return !(before == widths_);
}

std::vector<std::byte> ItemLocations::rewrite(const OffsetMap& map) const {
  const Widths& w = widths_;
  const std::uint64_t payload = payload_size(w);
  FieldWriter out;
  if (box_.size_is_zero) {
    out.put(0, 4);
    out.put(box_.type.code(), 4);
  } else if (box_.header_size == 16) {
    out.put(1, 4);
    out.put(box_.type.code(), 4);
    out.put(payload + 16, 8);
  } else {
    out.put(payload + 8, 4);
    out.put(box_.type.code(), 4);
  }
  out.put(std::uint64_t{version_} << 24 | flags_, 4);
  out.put(static_cast<std::uint64_t>(w.offset << 12 | w.length << 8 | w.base << 4 | w.index), 2);
  out.put(items_.size(), version_ < 2 ? 2 : 4);
  for (Item item : items_) {
    Widths unchanged = w;
    move_item(item, map, unchanged);
    out.put(item.id, version_ < 2 ? 2 : 4);
    out.put(item.method_word, version_ > 0 ? 2 : 0);
    out.put(item.data_reference, 2);
    out.put(item.base, w.base);
    out.put(item.extents.size(), 2);
    for (const Extent& extent : item.extents) {
      out.put(extent.index, w.index);
      out.put(extent.offset, w.offset);
      out.put(extent.length, w.length);
    }
  }
  out.put(slack_);
  return out.take();
}

}  // namespace shunt::boxes
