// Where a file has storage: the kernel's own record of it (FIEMAP).
#pragma once

#include <cstddef>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::io {

// The extents of `file` within `range`, in order, as logical byte ranges of whole blocks.
// Preallocated space counts as an extent. Dirty data is written out first. kUnsuitable where the
// file system does not tell; kUnsuitable as well past `limit` extents.
[[nodiscard]] Result<std::vector<ByteRange>> extents_of(const File& file, ByteRange range,
                                                        std::size_t limit);

// The parts of `range` without storage. kUnsuitable past `limit` of them. Needs memory for the
// holes alone, however many extents there are.
[[nodiscard]] Result<std::vector<ByteRange>> holes_of(const File& file, ByteRange range,
                                                      std::size_t limit);

}  // namespace shunt::io
