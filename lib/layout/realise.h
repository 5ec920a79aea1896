// Realising a Layout as a new file, or into a pipe.
#pragma once

#include <cstdint>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/layout/layout.h"

namespace shunt::layout {

// Writes `layout` into `out`, an empty regular file. Holes of the Sources and zeros become holes.
// The page cache is left as it was found, for the files that are read as well, and only a few MiB
// are dirty at a time. Not synced yet on return. Memory: two transfer buffers.
Result<void> write_file(const Layout& layout, io::File& out, const Context& context);

// Writes `source` into `out` from its current position on: a pipe, a terminal, a socket. Memory:
// two transfer buffers.
Result<void> write_stream(const io::Source& source, io::File& out, const Context& context);

}  // namespace shunt::layout
