// One process at a time.
#pragma once

#include <string>

#include "base/result.h"
#include "io/file.h"

namespace shunt::io {

// Takes the advisory lock of `file` for as long as its descriptor is open (flock, exclusive,
// without waiting). kBusy when another process has it.
Result<void> lock_exclusive(const File& file);

// The same shared with other readers, for as long as the descriptor is open.
Result<void> lock_shared(const File& file);

// kBusy when a process has the file at `path` open for writing (a read lease is refused then; see
// fcntl(2), F_SETLEASE). Tells nothing, and is no error, where leases are not to be had. To be
// asked before the caller opens the file for writing itself.
Result<void> check_no_writer(const std::string& path);

}  // namespace shunt::io
