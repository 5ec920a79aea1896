// Content digests (OCI image-spec, descriptor.md, "Digests"). Only SHA-256 is supported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt::blob {

// Returns true for "sha256:" and 64 lower-case hex digits.
[[nodiscard]] bool is_digest(std::string_view text);

// Returns "sha256:…" of `bytes`.
[[nodiscard]] std::string sha256_digest(std::string_view bytes);

// Returns the digits after "sha256:"; `digest` must be valid.
[[nodiscard]] std::string_view hex_of(std::string_view digest);

// Returns kIntegrity if `bytes` do not have the digest, or the size if it is given.
Result<void> check_document(std::string_view bytes, const std::string& digest,
                            std::optional<std::uint64_t> size);

}  // namespace shunt::blob
