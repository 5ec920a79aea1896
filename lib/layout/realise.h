// Realises a Layout as a new file or into a pipe.
#pragma once

#include <cstdint>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/layout/layout.h"

namespace shunt::layout {

// Writes `layout` into `out`, an empty regular file. Holes of the Sources, and zeros, become holes.
// Leaves the page cache as it was, also for the files that are read, and keeps only a few MiB dirty
// at a time. Not synced on return. Memory: two transfer buffers.
Result<void> write_file(const Layout& layout, io::File& out, const Context& context);

// Writes `source` into `out`, a pipe, terminal or socket, at its current position. Memory: two
// transfer buffers.
Result<void> write_stream(const io::Source& source, io::File& out, const Context& context);

}  // namespace shunt::layout
