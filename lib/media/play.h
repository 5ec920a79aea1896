// The module's play(): reads of a file what a player reads before it shows the first seconds. For
// the module alone.
#pragma once

#include <cstdint>

#include "shunt/media/module_abi.h"

namespace shunt::media {

// As ShuntMediaModule::play.
int play(const ShuntMediaInput* input, double seconds, std::uint64_t most);

}  // namespace shunt::media
