// Local files that are small, or else not what they should be.
#pragma once

#include <cstddef>
#include <string>

#include "shunt/base/result.h"

namespace shunt::oci {

// The whole of a regular file; kCorrupt when it has more than `limit` bytes.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, std::size_t limit);

}  // namespace shunt::oci
