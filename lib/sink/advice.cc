#include "shunt/sink/advice.h"

#include <algorithm>
#include <bit>

namespace shunt::sink {
namespace {

std::uint64_t round_up(std::uint64_t bytes) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 63;
  if (bytes == 0) return 0;
  return bytes > kMost ? UINT64_MAX : std::bit_ceil(std::max(bytes, std::uint64_t{1} << 10));
}

// Returns the memory needed to hold `bytes`, including the index.
std::uint64_t with_leaves(std::uint64_t bytes) {
  return bytes > UINT64_MAX / 2 ? bytes : bytes + bytes / 16 + HeldBlocks::kRoom;
}

}  // namespace

Advice advice_of(const Summary& summary) {
  Advice advice;
  advice.window = round_up(std::max(summary.window_needed, summary.read_back));
  // The whole window may be held, plus what is on its way out, but never more than the peak.
  std::uint64_t held =
      advice.window > UINT64_MAX / 2 ? advice.window : advice.window + Sink::kBacklog;
  if (!summary.left_early) held = std::min(held, summary.peak_unspilled);
  advice.memory = round_up(std::max(with_leaves(held), HeldBlocks::kLeastMemory));
  return advice;
}

}  // namespace shunt::sink
