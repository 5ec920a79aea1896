// Parsers for the HTTP fields that shunt reads. All input comes from servers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"

namespace shunt::http {

// Returns true for a character of field and scheme names (RFC 9110, 5.6.2: tchar).
[[nodiscard]] bool is_token_character(char c);

// Content-Range with unit bytes (RFC 9110, 14.4): "bytes 0-99/1000", "bytes 0-99/*", "bytes
// */1000".
struct ContentRange {
  std::optional<ByteRange> range;      // nullopt: "*", as in a 416
  std::optional<std::uint64_t> total;  // nullopt: "*"
};
// Returns kCorrupt for another unit, and for ranges that are empty, reversed or beyond the total.
[[nodiscard]] Result<ContentRange> parse_content_range(std::string_view value);

// Parses the values of all Content-Length fields (RFC 9110, 8.6): one number, possibly repeated.
// nullopt for anything else, and for more than a file can hold.
[[nodiscard]] std::optional<std::uint64_t> parse_content_length(std::string_view list);

// One challenge of WWW-Authenticate (RFC 9110, 11.6.1; Bearer: RFC 6750, 3). Scheme and parameter
// names are in lower case, values unquoted.
struct Challenge {
  std::string scheme;
  std::map<std::string, std::string> parameters;
};
// Returns all challenges of one value in order, leaving out what cannot be parsed. At most 16
// challenges with at most 32 parameters each.
[[nodiscard]] std::vector<Challenge> parse_challenges(std::string_view value);

// Returns Retry-After (RFC 9110, 10.2.3) in seconds from `now` (seconds since the epoch); nullopt
// if it cannot be parsed.
[[nodiscard]] std::optional<std::int64_t> parse_retry_after(std::string_view value,
                                                            std::int64_t now);

// Parses an HTTP date (RFC 9110, 5.6.7); seconds since the epoch.
[[nodiscard]] std::optional<std::int64_t> parse_http_date(std::string_view value);

// "\"abc\"" is strong, "W/\"abc\"" is weak (RFC 9110, 8.8.3). Empty or malformed values are
// neither.
[[nodiscard]] bool is_etag(std::string_view value);
[[nodiscard]] bool is_strong_etag(std::string_view value);

// Returns true if Cache-Control contains no-store (RFC 9111, 5.2.2.5).
[[nodiscard]] bool forbids_storing(std::string_view cache_control);

// Returns for how many seconds an answer received at `now` stays fresh; 0: not at all. Uses only
// what the server says, no heuristic from Last-Modified (RFC 9111, 4.2.1): max-age or Expires, less
// its current age by Age or Date, whichever is larger (4.2.3). no-store and no-cache give 0; of two
// values the smaller counts.
[[nodiscard]] std::int64_t fresh_for(std::string_view cache_control, std::string_view expires,
                                     std::string_view date, std::string_view age, std::int64_t now);

}  // namespace shunt::http
