// The stamp of a shift: eight random bytes, unique to the edit, that lie in its gap. Data that
// another program appends may be zeros, like reserved space, or a copy of what the gap holds, but
// never the stamp. The gap is where the stamp is; without a stamp there is no gap.
#pragma once

#include <cstdint>
#include <optional>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

inline constexpr std::uint64_t kStampSize = 8;

// Returns a new random stamp, never 0.
[[nodiscard]] std::uint64_t new_stamp();

// Writes or looks for the stamp at `at`, the begin of a gap. It stays there until the gap is cut
// off.
Result<void> write_stamp(io::File& file, std::uint64_t at, std::uint64_t stamp);
[[nodiscard]] Result<bool> has_stamp(const io::File& file, std::uint64_t at, std::uint64_t stamp);

// Appends `size` bytes that become a gap: zeros with the stamp at their end, behind the current end
// of the file. They are in one piece unless the disk is full. What another program appends in the
// meantime lies before or behind them.
Result<void> append_space(io::File& file, std::uint64_t size, std::uint64_t stamp);
// Returns where such space of `size` bytes begins; nullopt if it is not in `within`, or not in one
// piece.
[[nodiscard]] Result<std::optional<std::uint64_t>> find_space(const io::File& file,
                                                              ByteRange within, std::uint64_t size,
                                                              std::uint64_t stamp);

}  // namespace shunt::in_place
