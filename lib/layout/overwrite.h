// Writes over what is there: bytes of a Source, zeros, and single fields.
#pragma once

#include <cstdint>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/io/source.h"
#include "shunt/layout/field_patch.h"

namespace shunt::layout {

// All of `content`, from `at` on. It may read from `file` itself, elsewhere.
Result<void> write_source(io::File& file, std::uint64_t at, const io::Source& content);

// Writes zeros so that space is allocated.
Result<void> write_zeros(io::File& file, ByteRange range);

// Zeros as holes for the whole blocks of `range`, where the file system can, and as bytes
// elsewhere.
Result<void> clear_range(io::File& file, ByteRange range, std::uint64_t block_size);

// `value` in the width of `patch`, at `at`, which may differ from where the original has it.
Result<void> write_field(io::File& file, const FieldPatch& patch, std::uint64_t at,
                         std::uint64_t value);

}  // namespace shunt::layout
