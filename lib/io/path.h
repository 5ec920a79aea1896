// Names in directories: where a file's companions go, and making a name durable.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace shunt::io {

// The directory of `path`: "a/b.mp4" -> "a", "b.mp4" -> ".".
[[nodiscard]] std::string parent_directory(const std::string& path);

// `path` with every symbolic link resolved; the file must exist.
[[nodiscard]] Result<std::string> resolve(const std::string& path);

// A hidden name in the same directory: ("a/b.mp4", ".x") -> "a/.b.mp4.x". A name that would get too
// long for the file system is shortened and told apart by a hash of the whole.
[[nodiscard]] std::string companion(const std::string& path, std::string_view suffix);

// Makes the names that were created, renamed or removed in `directory` durable.
Result<void> sync_directory(const std::string& directory);

// Removes `path`; a file that is not there is no error. Returns whether there was one.
Result<bool> remove_if_there(const std::string& path);

}  // namespace shunt::io
