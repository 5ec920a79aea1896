// The strategies there are, in the order in which `auto` tries them.
#pragma once

#include <span>
#include <string_view>

#include "shunt/faststart/strategy.h"

namespace shunt::faststart {

using StrategyTable = std::span<const Strategy* const>;

[[nodiscard]] StrategyTable all_strategies();

// The one of that name; null when there is none.
[[nodiscard]] const Strategy* strategy_named(std::string_view name,
                                             StrategyTable table = all_strategies());

}  // namespace shunt::faststart
