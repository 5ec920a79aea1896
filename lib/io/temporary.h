// The folder for files without a name, which hold what is too large for memory.
#pragma once

#include <optional>
#include <string>

namespace shunt::io {

// $TMPDIR, where that is an absolute path.
[[nodiscard]] std::optional<std::string> folder_of_tmpdir();

// The same, or else /var/tmp, since /tmp may lie in memory; /tmp where nothing may be made there.
[[nodiscard]] std::string temporary_folder();

}  // namespace shunt::io
