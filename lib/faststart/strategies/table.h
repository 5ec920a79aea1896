// All strategies, in the order in which `auto` tries them.
#pragma once

#include <span>
#include <string_view>

#include "shunt/faststart/strategy.h"

namespace shunt::faststart {

using StrategyTable = std::span<const Strategy* const>;

[[nodiscard]] StrategyTable all_strategies();

// Returns the strategy of that name, or null.
[[nodiscard]] const Strategy* strategy_named(std::string_view name,
                                             StrategyTable table = all_strategies());

}  // namespace shunt::faststart
