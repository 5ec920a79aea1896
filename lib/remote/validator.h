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

// What tells versions apart, weakly perhaps: the ETag, and the date, where the answer has one that
// is written as it should be, or several that are the same.
[[nodiscard]] std::optional<std::string> etag_of(const Answer& answer);
[[nodiscard]] std::optional<std::string> last_modified_of(const Answer& answer);

// Of an answer that came just now; none where it varies with the request (Vary), or where fields
// that may be there once contradict one another.
[[nodiscard]] Freshness freshness_of(const Answer& answer);

// BlobInfo::no_store of an answer.
[[nodiscard]] bool forbids_storing(const Answer& answer);

// Answer::length. kCorrupt for what is no length, and for lengths that differ.
[[nodiscard]] Result<std::optional<std::uint64_t>> content_length(const Answer& answer);

// A body that was compressed on its way has other bytes at other places.
[[nodiscard]] bool is_encoded(const Answer& answer);

}  // namespace shunt::remote
