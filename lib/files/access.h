// What this user may do here, told without doing it.
//
// Opening a file for writing, to see whether that goes, is noticed by others: by those who watch it
// and by those who hold a lease. So the system is asked instead. What holds then may no longer hold
// a moment later; whoever acts checks what comes of the act.
#pragma once

#include <string>

#include "shunt/base/result.h"
#include "shunt/files/directory.h"
#include "shunt/io/file.h"

namespace shunt::files {

// What was refused (EPERM) because of an attribute of the file or directory that is open as `fd`
// says so, and what takes that away.
[[nodiscard]] Error explain_refusal(const Error& error, int fd);

// What opening `file`, which is `name` in `directory`, for reading and writing would fail with: no
// permission, a read-only mount, an immutable or append-only file.
Result<void> check_may_change(const Directory& directory, const std::string& name,
                              const io::File& file);

// What replacing `name` in `directory` by another file would fail with, besides that: the file is
// immutable, or, in a directory with the sticky bit, somebody else's. Nothing when it is not there.
Result<void> check_may_replace(const Directory& directory, const std::string& name);

// What making, renaming or removing a name in `directory` would fail with; `path`, of a file in it,
// is for the message.
Result<void> check_may_make_beside(const Directory& directory, const std::string& path);

}  // namespace shunt::files
