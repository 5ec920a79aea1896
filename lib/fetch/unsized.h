// Delivers a body of unknown size (source/unsized.h).
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/fetch/deliver.h"
#include "shunt/io/file.h"
#include "shunt/source/unsized.h"
#include "shunt/text/range_text.h"

namespace shunt::fetch {

// Returns how many bytes from the start the ranges need; UINT64_MAX: all. Returns kCorrupt unless
// they are one range from the start, since nothing before it could be skipped.
[[nodiscard]] Result<std::uint64_t> unsized_part(const source::Unsized& body,
                                                 const std::vector<RangeText>& ranges);
// Returns the kLocalIo error for an attempt to cache it.
[[nodiscard]] Error cannot_be_cached(const source::Unsized& body);

// Writes the first `most` bytes of it into a stream as they come.
[[nodiscard]] source::UnsizedRead stream_unsized(const source::Unsized& body, std::uint64_t most,
                                                 io::File& out, const Context& context);
// Same, into a new file. If the remaining size is unknown, a twentieth of the disk's initial free
// space is left free.
[[nodiscard]] source::UnsizedRead write_unsized(const source::Unsized& body, std::uint64_t most,
                                                io::File& out, const Context& context);

}  // namespace shunt::fetch
