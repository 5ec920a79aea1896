// Names in directories: where a file's companions go, and making a name durable.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt::files {

// The directory of `path`: "a/b.mp4" -> "a", "b.mp4" -> ".".
[[nodiscard]] std::string parent_directory(const std::string& path);
// The last component of `path`: "a/b.mp4" -> "b.mp4".
[[nodiscard]] std::string file_name(const std::string& path);

// `path` with every symbolic link resolved; the file must exist.
[[nodiscard]] Result<std::string> resolve(const std::string& path);

// Whether this user may not enter a directory on the way to `path`, so that they cannot have put
// anything there, nor anybody for them.
[[nodiscard]] bool is_out_of_reach(const std::string& path);

// The descriptor of this process that `path` leads to, as /dev/stdout, /dev/fd/3 and links to them
// do; nullopt for any other name, and for a descriptor that is not open.
[[nodiscard]] std::optional<int> descriptor_named(const std::string& path);

// A hidden name in the same directory: ("a/b.mp4", ".x") -> "a/.b.mp4.x". A name that would get too
// long for the file system is shortened and told apart by a hash of the whole.
[[nodiscard]] std::string companion(const std::string& path, std::string_view suffix);

// Sixteen hexadecimal digits that nobody can guess, for a name that others must not have taken.
[[nodiscard]] std::string random_digits();

// Makes the names that were created, renamed or removed in `directory` durable.
Result<void> sync_directory(const std::string& directory);
// The same of one that is open for reading; `name` is for messages.
Result<void> sync_directory(int fd, const std::string& name);

// Gives the file at `from` the name `to`, in the same file system: in place of what has it, or only
// when nothing does (system_errno EEXIST otherwise). Nothing is synced.
Result<void> rename_over(const std::string& from, const std::string& to);
Result<void> rename_no_replace(const std::string& from, const std::string& to);

// Makes `path` and what is missing above it, each for its owner alone (mode 0700). One that is
// there is left as it is.
Result<void> make_directories(const std::string& path);

// What creating a new file fails with where there is something of the name `path` already.
[[nodiscard]] Error there_already(const std::string& path);

// Removes `path`; a file that is not there is no error. Returns whether there was one.
Result<bool> remove_if_there(const std::string& path);

}  // namespace shunt::files
