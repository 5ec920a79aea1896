#include "shunt/faststart/strategies/table.h"

#include <algorithm>
#include <array>

namespace shunt::faststart {

// Each is defined in the file of its name.
const Strategy& reserve();
const Strategy& reflink();
const Strategy& insert();
const Strategy& copy();
const Strategy& shift();

// Sharing extents comes before inserting: an insertion drops the file's pages from the cache, and
// readers see its bytes move.
StrategyTable all_strategies() {
  static const std::array table{&reserve(), &reflink(), &insert(), &copy(), &shift()};
  return table;
}

const Strategy* strategy_named(std::string_view name, StrategyTable table) {
  const auto found = std::ranges::find(table, name, [](const Strategy* s) { return s->name(); });
  return found == table.end() ? nullptr : *found;
}

}  // namespace shunt::faststart
