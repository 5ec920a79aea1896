#include "faststart/strategies/in_place.h"

#include "base/checked.h"

namespace shunt::faststart {

std::uint64_t journal_space(const Plan& plan) {
  constexpr std::uint64_t kBlock = 4096;
  constexpr std::uint64_t kFixed = 512;
  constexpr std::uint64_t kPerPatch = 28;
  const layout::InPlaceEdit& edit = *plan.edit;
  const std::uint64_t record = kFixed + kPerPatch * edit.patches.size() + edit.overwritten.size();
  const bool has_cursors = edit.room == layout::RoomKind::kShifted;
  return round_up(record, kBlock) + (has_cursors ? 2 * kBlock : 0);
}

}  // namespace shunt::faststart
