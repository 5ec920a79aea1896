#include "shunt/sink/spill_space.h"

#include <algorithm>
#include <iterator>

namespace shunt::sink {

Slots SpillSpace::take(std::uint64_t most) {
  if (free_.empty()) {
    const Slots slots{end_, most};
    end_ += most;
    return slots;
  }
  const auto lowest = free_.begin();
  const Slots slots{lowest->first, std::min(most, lowest->second)};
  const std::uint64_t rest = lowest->second - slots.count;
  free_.erase(lowest);
  if (rest > 0) free_.emplace(slots.first + slots.count, rest);
  return slots;
}

void SpillSpace::give_back(Slots slots) {
  const auto next = free_.lower_bound(slots.first);
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == slots.first) {
      slots = {previous->first, previous->second + slots.count};
      free_.erase(previous);
    }
  }
  if (next != free_.end() && slots.first + slots.count == next->first) {
    slots.count += next->second;
    free_.erase(next);
  }
  if (slots.first + slots.count == end_) {
    end_ = slots.first;
  } else if (free_.size() < kMostStretches) {
    free_.emplace(slots.first, slots.count);
  }
}

}  // namespace shunt::sink
