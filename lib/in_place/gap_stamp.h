// The stamp of a shift: eight random bytes, of this edit alone, that lie in its gap. What another
// program appends may be zeros, as reserved space is, or a copy of what a gap holds; it is never
// the stamp. Where the stamp is, there is the gap; where it is not, the gap is gone.
#pragma once

#include <cstdint>
#include <optional>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

inline constexpr std::uint64_t kStampSize = 8;

// Not zero.
[[nodiscard]] std::uint64_t new_stamp();

// At the begin of a gap: until the gap is cut off.
Result<void> write_stamp(io::File& file, std::uint64_t at, std::uint64_t stamp);
[[nodiscard]] Result<bool> has_stamp(const io::File& file, std::uint64_t at, std::uint64_t stamp);

// At the end of space that becomes a gap: zeros and the stamp behind the end of the file, wherever
// that is by now, all in one piece as long as the disk has room for it. What another program
// appends meanwhile lies before or behind it.
Result<void> append_space(io::File& file, std::uint64_t size, std::uint64_t stamp);
// Where such space of `size` bytes begins; nullopt when it is not in `within`, or not in one piece.
[[nodiscard]] Result<std::optional<std::uint64_t>> find_space(const io::File& file,
                                                              ByteRange within, std::uint64_t size,
                                                              std::uint64_t stamp);

}  // namespace shunt::in_place
