// Returns where a file has storage, as the kernel reports it (FIEMAP).
#pragma once

#include <cstddef>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::io {

// Returns the extents of `file` within `range`, in order, as logical byte ranges of whole blocks.
// Preallocated space counts. Writes dirty data out first. Returns kUnsuitable if the file system
// does not tell, or if there are more than `limit`.
[[nodiscard]] Result<std::vector<ByteRange>> extents_of(const File& file, ByteRange range,
                                                        std::size_t limit);

// Returns the parts of `range` without storage; kUnsuitable if there are more than `limit`. Memory
// depends on the number of holes, not of extents.
[[nodiscard]] Result<std::vector<ByteRange>> holes_of(const File& file, ByteRange range,
                                                      std::size_t limit);

}  // namespace shunt::io
