// The fields of HTTP that shunt reads. All input comes from servers.
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

// What names of fields and of schemes are made of (RFC 9110, 5.6.2: tchar).
[[nodiscard]] bool is_token_character(char c);

// Content-Range of bytes (RFC 9110, 14.4): "bytes 0-99/1000", "bytes 0-99/*", "bytes */1000".
struct ContentRange {
  std::optional<ByteRange> range;      // nullopt: "*", of a 416
  std::optional<std::uint64_t> total;  // nullopt: "*"
};
// kCorrupt for another unit, for ranges that are empty, turned round or beyond the total.
[[nodiscard]] Result<ContentRange> parse_content_range(std::string_view value);

// The values of all Content-Length fields (RFC 9110, 8.6): one number, which may be there more than
// once. nullopt for everything else, and for more than a file can have.
[[nodiscard]] std::optional<std::uint64_t> parse_content_length(std::string_view list);

// One challenge of WWW-Authenticate (RFC 9110, 11.6.1; Bearer: RFC 6750, 3). Scheme and names of
// parameters in lower case; values without quotes.
struct Challenge {
  std::string scheme;
  std::map<std::string, std::string> parameters;
};
// All challenges of one value, in order; what cannot be read is left out. At most 16 of them with
// at most 32 parameters each.
[[nodiscard]] std::vector<Challenge> parse_challenges(std::string_view value);

// Retry-After (RFC 9110, 10.2.3) as seconds from `now` (seconds since the epoch); nullopt when it
// cannot be read.
[[nodiscard]] std::optional<std::int64_t> parse_retry_after(std::string_view value,
                                                            std::int64_t now);

// An HTTP date (RFC 9110, 5.6.7) as seconds since the epoch.
[[nodiscard]] std::optional<std::int64_t> parse_http_date(std::string_view value);

// "\"abc\"" is strong, "W/\"abc\"" is weak (RFC 9110, 8.8.3). An empty one is none, nor is what is
// not written like that.
[[nodiscard]] bool is_etag(std::string_view value);
[[nodiscard]] bool is_strong_etag(std::string_view value);

// Whether Cache-Control says no-store (RFC 9111, 5.2.2.5).
[[nodiscard]] bool forbids_storing(std::string_view cache_control);

// For how many seconds an answer that was received at `now` stays fresh; 0: not at all. Only what
// the server says counts, no guess from Last-Modified (RFC 9111, 4.2.1): max-age or Expires, less
// the age that it has by Age or by Date, whichever is more (4.2.3); no-store and no-cache overrule
// them, and of two values the smaller one counts.
[[nodiscard]] std::int64_t fresh_for(std::string_view cache_control, std::string_view expires,
                                     std::string_view date, std::string_view age, std::int64_t now);

}  // namespace shunt::http
