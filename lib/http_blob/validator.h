// What answers say about which version of a blob they are of (RFC 9110, 8.8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shunt/blob/origin.h"
#include "shunt/http/client.h"

namespace shunt::http_blob {

// The validator of Info: a strong ETag, else a Last-Modified that can be relied on, else "".
[[nodiscard]] std::string validator_of(const http::Answer& answer);

// Whether the answer is of another version than one with `validator`. What it does not say does not
// count.
[[nodiscard]] bool contradicts(const http::Answer& answer, const std::string& validator);

// What tells versions apart, weakly perhaps: the ETag, and the date, where the answer has one that
// is written as it should be, or several that are the same.
[[nodiscard]] std::optional<std::string> etag_of(const http::Answer& answer);
[[nodiscard]] std::optional<std::string> last_modified_of(const http::Answer& answer);

// Of an answer that came just now; none where it varies with the request (Vary), or where fields
// that may be there once contradict one another.
[[nodiscard]] blob::Freshness freshness_of(const http::Answer& answer);

// Info::no_store of an answer.
[[nodiscard]] bool forbids_storing(const http::Answer& answer);

// A body that was compressed on its way has other bytes at other places.
[[nodiscard]] bool is_encoded(const http::Answer& answer);

}  // namespace shunt::http_blob
