// Overwriting parts of a file: with bytes of a Source, with zeros, and single fields.
#pragma once

#include <cstdint>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/io/source.h"
#include "shunt/layout/field_patch.h"

namespace shunt::layout {

// Writes all of `content` at offset `at`. `content` may read from `file`, but not from the range
// that is written.
Result<void> write_source(io::File& file, std::uint64_t at, const io::Source& content);

// Writes zeros so that space is allocated.
Result<void> write_zeros(io::File& file, ByteRange range);

// Makes `range` read as zeros: punches holes for its whole blocks if the file system can, and
// writes zeros elsewhere. `block_size` is in bytes.
Result<void> clear_range(io::File& file, ByteRange range, std::uint64_t block_size);

// Writes `value` at `at`, in the width of `patch`. `at` may differ from patch.at.
Result<void> write_field(io::File& file, const FieldPatch& patch, std::uint64_t at,
                         std::uint64_t value);

}  // namespace shunt::layout
