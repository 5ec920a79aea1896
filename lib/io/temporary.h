// Where data is put by that is too large for memory, or that a socket is made in.
#pragma once

#include <optional>
#include <string>

namespace shunt::io {

// $TMPDIR, where that is an absolute path.
[[nodiscard]] std::optional<std::string> folder_of_tmpdir();

// The same, or else /var/tmp: /tmp may lie in memory.
[[nodiscard]] std::string temporary_folder();

}  // namespace shunt::io
