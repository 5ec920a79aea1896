// Reading small local files.
#pragma once

#include <cstddef>
#include <string>

#include "shunt/base/result.h"

namespace shunt::oci {

// Returns the content of a regular file; kCorrupt if it has more than `limit` bytes.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, std::size_t limit);

}  // namespace shunt::oci
