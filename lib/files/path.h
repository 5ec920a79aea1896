// Paths, names and companions of files; durable directory changes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt::files {

// Returns the directory of `path`: "a/b.mp4" -> "a", "b.mp4" -> ".".
[[nodiscard]] std::string parent_directory(const std::string& path);
// Returns the last component of `path`: "a/b.mp4" -> "b.mp4".
[[nodiscard]] std::string file_name(const std::string& path);

// Returns `path` with every symbolic link resolved; the file must exist.
[[nodiscard]] Result<std::string> resolve(const std::string& path);

// Returns true if this user may not enter a directory on the way to `path`, so that nothing there
// can be theirs.
[[nodiscard]] bool is_out_of_reach(const std::string& path);

// Returns the descriptor of this process that `path` leads to, such as /dev/stdout, /dev/fd/3 or a
// link to one; nullopt for any other name or a closed descriptor.
[[nodiscard]] std::optional<int> descriptor_named(const std::string& path);

// Returns a hidden name in the same directory: ("a/b.mp4", ".x") -> "a/.b.mp4.x". A name too long
// for the file system is shortened and made unique by a hash of the whole.
[[nodiscard]] std::string companion(const std::string& path, std::string_view suffix);

// Returns sixteen unpredictable hex digits, for a name that nobody else can have taken.
[[nodiscard]] std::string random_digits();

// Makes names created, renamed or removed in `directory` durable.
Result<void> sync_directory(const std::string& directory);
// Same, for a directory that is open for reading; `name` is for messages.
Result<void> sync_directory(int fd, const std::string& name);

// Renames `from` to `to` within a file system. rename_over replaces an existing file;
// rename_no_replace fails if there is one (system_errno EEXIST). Nothing is synced.
Result<void> rename_over(const std::string& from, const std::string& to);
Result<void> rename_no_replace(const std::string& from, const std::string& to);

// Creates `path` and missing parents with mode 0700. Existing ones are left alone.
Result<void> make_directories(const std::string& path);

// Returns the error for creating a file whose name already exists.
[[nodiscard]] Error there_already(const std::string& path);

// Removes `path` and returns true; returns false if it does not exist.
Result<bool> remove_if_there(const std::string& path);

}  // namespace shunt::files
