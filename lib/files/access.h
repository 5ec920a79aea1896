// What this user may do with a file, found out without doing it.
//
// Opening a file for writing as a test would be noticed by watchers and lease holders, so the
// system is asked instead. The answer may change a moment later; the actual call is checked too.
#pragma once

#include <string>

#include "shunt/base/result.h"
#include "shunt/files/directory.h"
#include "shunt/io/file.h"

namespace shunt::files {

// Explains EPERM by an attribute (immutable, append-only) of the file or directory open as `fd`,
// with a hint how to clear it.
[[nodiscard]] Error explain_refusal(const Error& error, int fd);

// Returns the error of opening `file`, which is `name` in `directory`, for reading and writing: no
// permission, a read-only mount, an immutable or append-only file.
Result<void> check_may_change(const Directory& directory, const std::string& name,
                              const io::File& file);

// Returns the further errors of replacing `name` in `directory`: the file is immutable, or belongs
// to somebody else in a directory with the sticky bit. Success if it does not exist.
Result<void> check_may_replace(const Directory& directory, const std::string& name);

// Returns the error of creating, renaming or removing a name in `directory`. `path`, of a file in
// it, is for the message.
Result<void> check_may_make_beside(const Directory& directory, const std::string& path);

}  // namespace shunt::files
