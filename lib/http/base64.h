// Base64 (RFC 4648, 4), as Basic authentication and credential files use it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shunt::http {

// Returns the Base64 of `bytes`, with padding.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
// Decodes Base64 with or without padding; nullopt if `text` is not Base64.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace shunt::http
