// Delivering a body whose size nobody tells (source/unsized.h).
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/fetch/deliver.h"
#include "shunt/io/file.h"
#include "shunt/source/unsized.h"
#include "shunt/text/range_text.h"

namespace shunt::fetch {

// How many bytes from the start the ranges ask for; UINT64_MAX: all of it. kCorrupt for anything
// that is no single range from the start: of what lies before it nothing could be left out.
[[nodiscard]] Result<std::uint64_t> unsized_part(const source::Unsized& body,
                                                 const std::vector<RangeText>& ranges);
// kLocalIo, for the cache.
[[nodiscard]] Error cannot_be_cached(const source::Unsized& body);

// The first `most` bytes of it, or all, into a stream as they come.
[[nodiscard]] source::UnsizedRead stream_unsized(const source::Unsized& body, std::uint64_t most,
                                                 io::File& out, const Context& context);
// The same into a new file. Where nobody can say how much more is to come, a twentieth of what was
// free on its disk is left free.
[[nodiscard]] source::UnsizedRead write_unsized(const source::Unsized& body, std::uint64_t most,
                                                io::File& out, const Context& context);

}  // namespace shunt::fetch
