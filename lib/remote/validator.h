// What answers say about which version of a blob they are of (RFC 9110, 8.8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "remote/http_client.h"
#include "remote/origin.h"

namespace shunt::remote {

// The validator of BlobInfo: a strong ETag, else a Last-Modified that can be relied on, else "".
[[nodiscard]] std::string validator_of(const Answer& answer);

// Whether the answer is of another version than one with `validator`. What it does not say does not
// count.
[[nodiscard]] bool contradicts(const Answer& answer, const std::string& validator);

// BlobInfo::fresh_until of an answer that came just now; 0 where it varies with the request (Vary).
[[nodiscard]] std::int64_t freshness_of(const Answer& answer);

// BlobInfo::no_store of an answer.
[[nodiscard]] bool forbids_storing(const Answer& answer);

// Content-Length, where it is a number.
[[nodiscard]] std::optional<std::uint64_t> content_length(const Answer& answer);

// A body that was compressed on its way has other bytes at other places.
[[nodiscard]] bool is_encoded(const Answer& answer);

}  // namespace shunt::remote
