#include "shunt/faststart/strategies/in_place.h"

#include "shunt/base/checked.h"

namespace shunt::faststart {

std::uint64_t journal_space(const Plan& plan) {
  constexpr std::uint64_t kBlock = 4096;
  constexpr std::uint64_t kFixed = 512;
  constexpr std::uint64_t kPerPatch = 28;
  const in_place::Edit& edit = *plan.edit;
  const std::uint64_t record = kFixed + kPerPatch * edit.patches.size() + edit.overwritten.size();
  const bool has_cursors = edit.room == in_place::RoomKind::kShifted;
  return round_up(record, kBlock) + (has_cursors ? 2 * kBlock : 0);
}

}  // namespace shunt::faststart
