// Digests of content (OCI image-spec, descriptor.md, "Digests"): SHA-256 alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt::blob {

// "sha256:" and 64 lower-case hex digits, the one kind that is supported.
[[nodiscard]] bool is_digest(std::string_view text);

// "sha256:…" of `bytes`.
[[nodiscard]] std::string sha256_digest(std::string_view bytes);

// The digits behind "sha256:"; `digest` must be one.
[[nodiscard]] std::string_view hex_of(std::string_view digest);

// Whether `bytes` are what the digest and, where it is known, the size say; kIntegrity.
Result<void> check_document(std::string_view bytes, const std::string& digest,
                            std::optional<std::uint64_t> size);

}  // namespace shunt::blob
