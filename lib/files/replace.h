// Replaces a file that other programs may be writing to.
//
// With a lease (io/lease.h), nobody can open the old file for writing between the last look and the
// rename. A program that waited for the lease gets the old, now nameless file; what it appends is
// carried over to the new one.
#pragma once

#include <cstdint>
#include <functional>

#include "shunt/base/result.h"
#include "shunt/files/new_file.h"
#include "shunt/io/file.h"

namespace shunt::files {

// Gives `new_file` the name of `old`, which is open, and locked unless it is read-only. `look` is
// called at the last moment; its error leaves everything as it is. Returns kBusy if the name no
// longer leads to `old`, or another program has `old` open for writing. Afterwards `old` can only
// be read. After a failure before the rename (see new_file.is_named()) it is open and locked as
// before, or the error has no errno.
//
// Returns the number of bytes appended to `old` in the meantime, which are now at the end of the
// new file. If the new name cannot be made durable, returns that error, whose reason mentions them.
// If `old` was changed otherwise, returns kBusy: the new file has the name and the error says what
// is lost.
[[nodiscard]] Result<std::uint64_t> replace_file(NewFile& new_file, io::File& old,
                                                 const std::function<Result<void>()>& look);

}  // namespace shunt::files
