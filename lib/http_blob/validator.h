// What an answer says about the version of a blob (RFC 9110, 8.8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shunt/blob/origin.h"
#include "shunt/http/client.h"

namespace shunt::http_blob {

// Returns Info::validator: a strong ETag, else a reliable Last-Modified, else "".
[[nodiscard]] std::string validator_of(const http::Answer& answer);

// Returns true if the answer is of another version than `validator`. A missing field contradicts
// nothing.
[[nodiscard]] bool contradicts(const http::Answer& answer, const std::string& validator);

// Returns the ETag, which may be weak, and the Last-Modified date; nullopt if missing, malformed,
// or repeated with different values.
[[nodiscard]] std::optional<std::string> etag_of(const http::Answer& answer);
[[nodiscard]] std::optional<std::string> last_modified_of(const http::Answer& answer);

// Returns the freshness of an answer received just now; none if it depends on request fields
// (Vary), or if fields that may occur once contradict one another.
[[nodiscard]] blob::Freshness freshness_of(const http::Answer& answer);

// Returns Info::no_store of an answer.
[[nodiscard]] bool forbids_storing(const http::Answer& answer);

// Returns true if the body is encoded (compressed): its offsets are not those of the blob.
[[nodiscard]] bool is_encoded(const http::Answer& answer);

}  // namespace shunt::http_blob
