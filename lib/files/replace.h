// Putting a new file in the place of one that other programs may be writing to just then.
//
// Between the last look at the old file and the rename nobody may open it for writing, where a
// lease can be had (io/lease.h). Whoever waited for that gets the old file, which has no name any
// more: what they append to it is carried over to the new one.
#pragma once

#include <cstdint>
#include <functional>

#include "shunt/base/result.h"
#include "shunt/files/new_file.h"
#include "shunt/io/file.h"

namespace shunt::files {

// Gives `new_file` the name of `old`, which is open, and locked unless it is open for reading only.
// `look` is asked at the last moment whether that may be; its error leaves all as it is. kBusy when
// the name leads to another file than `old` by then, or another program has `old` open for writing.
// `old` can only be read afterwards; after a failure before the rename, which new_file.is_named()
// tells, it is open as it was before, and locked again, or the error has no errno.
//
// Returns how many bytes were appended to `old` meanwhile and are now at the end of the new file;
// where the new name cannot be brought to the disk, that error, whose reason says so as well.
// kBusy too when something else was written to it: the new file has the name then, and the error
// says what is lost.
[[nodiscard]] Result<std::uint64_t> replace_file(NewFile& new_file, io::File& old,
                                                 const std::function<Result<void>()>& look);

}  // namespace shunt::files
