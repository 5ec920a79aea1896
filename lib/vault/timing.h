// How long the vault waits for other processes, and how often it sweeps.
#pragma once

#include <chrono>
#include <string>

namespace shunt::vault {

using Clock = std::chrono::steady_clock;

// For a process that has locked an item to evict it, which takes a few system calls.
inline constexpr std::chrono::milliseconds kOpenPatience{2000};
// For `.lock`, which is held while many items are evicted.
inline constexpr std::chrono::milliseconds kRemovalPatience{10000};
// For `.lock`, by a caller that can do without room.
inline constexpr std::chrono::milliseconds kAdmitPatience{500};

// Returns true if nobody has swept `directory` in the last ten minutes.
[[nodiscard]] bool sweep_is_due(const std::string& directory);

}  // namespace shunt::vault
