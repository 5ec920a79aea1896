// Names of Sources as they may be shown: a URL can carry a password or a signature.
#pragma once

#include <string>

namespace shunt::cli {

// A URL without its secrets; anything else as it is.
[[nodiscard]] std::string shown_name(const std::string& source);

}  // namespace shunt::cli
