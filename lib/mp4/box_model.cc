#include "shunt/mp4/box_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "shunt/base/big_endian.h"

namespace shunt::mp4 {
namespace {

bool exceeds_32_bits(const boxes::OffsetTable& table, const boxes::OffsetMap& map,
                     const boxes::Zones& zones, std::uint64_t slack) {
  const auto too_far = [slack](std::optional<std::uint64_t> offset) {
    return offset && *offset > std::numeric_limits<std::uint32_t>::max() - slack;
  };
  for (std::size_t zone = 0; zone < boxes::Zones::kCount; ++zone) {
    if (!table.largest[zone]) continue;
    if (too_far(map.map(*table.largest[zone]))) return true;
    // Within moov the shift varies; the shift at its end is the largest.
    if (zone == boxes::Zones::kMoov && too_far(map.map(zones.moov.end - 1))) return true;
  }
  return false;
}

// Returns by how much each container grows, from its own content and that of containers in it.
std::vector<std::uint64_t> container_growth(const BoxModel& model) {
  std::vector<std::uint64_t> growth(model.containers.size(), 0);
  const auto add = [&](std::int32_t container, std::uint64_t amount) {
    if (container >= 0) growth[static_cast<std::size_t>(container)] += amount;
  };
  for (const boxes::OffsetTable& table : model.tables) add(table.container, table.growth());
  for (const boxes::ItemLocations& iloc : model.ilocs) add(iloc.container(), iloc.growth());
  // Parents come before their children.
  for (std::size_t i = growth.size(); i-- > 0;) add(model.containers[i].parent, growth[i]);
  return growth;
}

// A change at one place of the old bytes.
struct Edit {
  enum class Kind { kContainerSize, kTable, kIloc };
  std::uint64_t at = 0;
  Kind kind = Kind::kTable;
  std::size_t index = 0;
};

std::vector<Edit> edits_of(const BoxModel& model, const std::vector<std::uint64_t>& growth) {
  std::vector<Edit> edits;
  for (std::size_t i = 0; i < model.containers.size(); ++i) {
    const boxes::Box& box = model.containers[i].box;
    const bool write_anyway = i == 0 && model.write_own_size;
    if (!write_anyway && (growth[i] == 0 || box.size_is_zero)) continue;
    edits.push_back({box.size_field_at(), Edit::Kind::kContainerSize, i});
  }
  for (std::size_t i = 0; i < model.tables.size(); ++i) {
    edits.push_back({model.tables[i].box.range.begin, Edit::Kind::kTable, i});
  }
  for (std::size_t i = 0; i < model.ilocs.size(); ++i) {
    edits.push_back({model.ilocs[i].box().range.begin, Edit::Kind::kIloc, i});
  }
  std::ranges::sort(edits, {}, &Edit::at);
  return edits;
}

void append_size(const boxes::Box& box, std::uint64_t new_size, layout::Layout& layout) {
  std::array<std::byte, 8> field{};
  if (box.size_field_width() == 8) {
    store_be<std::uint64_t>(field.data(), new_size);
  } else {
    store_be<std::uint32_t>(field.data(), static_cast<std::uint32_t>(new_size));
  }
  layout.append_bytes(std::span(field).first(box.size_field_width()));
}

// Returns the new header and leading fields of a table that is widened: size, and type or version.
Result<std::vector<std::byte>> widened_head(const BoxModel& model,
                                            const boxes::OffsetTable& table) {
  std::vector<std::byte> head(table.entries_at - table.box.range.begin);
  SHUNT_TRY(io::read_exactly(*model.source, table.box.range.begin, head));
  const std::uint64_t size = table.box.range.size() + table.growth();
  if (!table.box.size_is_zero) {
    std::byte* const field = head.data() + (table.box.header_size == 16 ? 8 : 0);
    if (table.box.header_size == 16) {
      store_be<std::uint64_t>(field, size);
    } else {
      store_be<std::uint32_t>(field, static_cast<std::uint32_t>(size));
    }
  }
  if (table.kind == boxes::OffsetTable::Kind::kStco) {
    store_be<std::uint32_t>(head.data() + 4, boxes::BoxType("co64").code());
  } else {
    head[table.box.header_size] = std::byte{1};  // saio version 1
  }
  return head;
}

Result<void> append_table(const BoxModel& model, const boxes::OffsetTable& table,
                          const std::shared_ptr<const boxes::OffsetMap>& map,
                          layout::Layout& layout) {
  if (table.widened) {
    SHUNT_ASSIGN(const std::vector<std::byte> head, widened_head(model, table));
    layout.append_bytes(head);
  } else {
    layout.append(model.source, {table.box.range.begin, table.entries_at});
  }
  if (table.count > 0) {
    const auto mapped = std::make_shared<const boxes::MappedTable>(model.source, table, map);
    layout.append(mapped, {0, mapped->size()});
  }
  layout.append(model.source, {table.entries_at + table.entries_size(), table.box.range.end});
  return {};
}

}  // namespace

std::uint64_t BoxModel::growth() const {
  std::uint64_t sum = 0;
  for (const boxes::OffsetTable& table : tables) sum += table.growth();
  for (const boxes::ItemLocations& iloc : ilocs) sum += iloc.growth();
  return sum;
}

std::uint64_t BoxModel::possible_growth() const {
  std::uint64_t sum = 0;
  for (const boxes::OffsetTable& table : tables) {
    if (table.can_widen() && !table.widened) sum += std::uint64_t{table.count} * 4;
  }
  return sum;
}

std::uint32_t BoxModel::widened_tables() const {
  return static_cast<std::uint32_t>(std::ranges::count_if(tables, [](const boxes::OffsetTable& t) {
    return t.widened && t.kind == boxes::OffsetTable::Kind::kStco;
  }));
}

Result<bool> grow_for(BoxModel& model, const boxes::OffsetMap& map, const boxes::Zones& zones,
                      std::uint64_t slack) {
  bool changed = false;
  for (boxes::OffsetTable& table : model.tables) {
    if (table.widened || table.field_width() == 8 ||
        !exceeds_32_bits(table, map, zones, table.can_widen() ? slack : 0)) {
      continue;
    }
    if (!table.can_widen()) {
      return boxes::bad_box(table.box,
                            "its offsets would pass 4 GiB, which this table cannot hold");
    }
    table.widened = changed = true;
  }
  for (boxes::ItemLocations& iloc : model.ilocs) changed = iloc.widen_for(map) || changed;
  return changed;
}

void add_inner_pieces(const BoxModel& model, std::int64_t delta, boxes::OffsetMap& map) {
  // Both lists ascend; bytes behind a table or an iloc move by its growth.
  auto table = model.tables.begin();
  auto iloc = model.ilocs.begin();
  while (table != model.tables.end() || iloc != model.ilocs.end()) {
    const bool take_table =
        iloc == model.ilocs.end() ||
        (table != model.tables.end() && table->box.range.begin < iloc->box().range.begin);
    const std::uint64_t end = take_table ? table->box.range.end : iloc->box().range.end;
    delta += static_cast<std::int64_t>(take_table ? table->growth() : iloc->growth());
    take_table ? void(++table) : void(++iloc);
    map.add(end, delta);
  }
}

Result<void> append_moved(const BoxModel& model, const std::shared_ptr<const boxes::OffsetMap>& map,
                          layout::Layout& layout) {
  const std::vector<std::uint64_t> growth = container_growth(model);
  std::uint64_t at = model.box.range.begin;
  for (const Edit& edit : edits_of(model, growth)) {
    layout.append(model.source, {at, edit.at});
    switch (edit.kind) {
      case Edit::Kind::kContainerSize: {
        const boxes::Box& box = model.containers[edit.index].box;
        append_size(box, box.range.size() + growth[edit.index], layout);
        at = edit.at + box.size_field_width();
        break;
      }
      case Edit::Kind::kTable: {
        const boxes::OffsetTable& table = model.tables[edit.index];
        SHUNT_TRY(append_table(model, table, map, layout));
        at = table.box.range.end;
        break;
      }
      case Edit::Kind::kIloc: {
        const boxes::ItemLocations& iloc = model.ilocs[edit.index];
        layout.append_bytes(iloc.rewrite(*map));
        at = iloc.box().range.end;
        break;
      }
    }
  }
  layout.append(model.source, {at, model.box.range.end});
  return {};
}

}  // namespace shunt::mp4
