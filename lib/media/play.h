// The module's play(): reads from a file what a player reads before it shows the first seconds.
// Only for the module.
#pragma once

#include <cstdint>

#include "shunt/media/module_abi.h"

namespace shunt::media {

// See ShuntMediaModule::play.
int play(const ShuntMediaInput* input, double seconds, std::uint64_t most);

}  // namespace shunt::media
