// The folder for unnamed files, which hold what is too large for memory.
#pragma once

#include <optional>
#include <string>

namespace shunt::io {

// Returns $TMPDIR if it is an absolute path.
[[nodiscard]] std::optional<std::string> folder_of_tmpdir();

// Returns $TMPDIR if it is an absolute path, else /var/tmp (since /tmp may lie in memory), or /tmp
// if nothing can be created there.
[[nodiscard]] std::string temporary_folder();

}  // namespace shunt::io
