#include "remote/validator.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/ascii.h"
#include "remote/http_fields.h"

namespace shunt::remote {

namespace {

std::string value_of(const Answer& answer, const char* name) {
  const std::string* const value = answer.find(name);
  return value == nullptr ? std::string() : *value;
}

// All fields of that name as one list.
std::string list_of(const Answer& answer, const char* name) {
  std::string list;
  for (const Field& field : answer.fields) {
    if (strcasecmp(field.name.c_str(), name) != 0) continue;
    if (!list.empty()) list += ", ";
    list += field.value;
  }
  return list;
}

}  // namespace

std::string validator_of(const Answer& answer) {
  const std::string etag = value_of(answer, "ETag");
  if (is_strong_etag(etag)) return etag;
  const std::string modified = value_of(answer, "Last-Modified");
  const auto when = parse_http_date(modified);
  if (!when) return {};
  // Within the second in which it was changed, it may be changed once more unnoticed (8.8.2.2).
  const auto now = parse_http_date(value_of(answer, "Date"));
  if (now && *now <= *when) return {};
  return modified;
}

bool contradicts(const Answer& answer, const std::string& validator) {
  if (validator.empty()) return false;
  if (is_strong_etag(validator)) {
    const std::string* const etag = answer.find("ETag");
    if (etag == nullptr) return false;
    // A cache on the way may have weakened it; it still tells versions apart.
    std::string_view opaque = *etag;
    if (opaque.starts_with("W/")) opaque.remove_prefix(2);
    return opaque != validator;
  }
  const std::string* const modified = answer.find("Last-Modified");
  return modified != nullptr && *modified != validator;
}

namespace {

// Whether the answer depends on fields of the request that a copy knows nothing of. shunt sends no
// Accept-Encoding, and takes no compressed answer.
bool varies(const Answer& answer) {
  const std::string list = list_of(answer, "Vary");
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view name = ascii::trimmed(rest.substr(0, end));
    if (!name.empty() && !ascii::equal_ignoring_case(name, "Accept-Encoding")) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

std::int64_t freshness_of(const Answer& answer) {
  if (varies(answer)) return 0;
  return fresh_until(list_of(answer, "Cache-Control"), value_of(answer, "Expires"),
                     value_of(answer, "Date"), value_of(answer, "Age"), std::time(nullptr));
}

bool forbids_storing(const Answer& answer) {
  return forbids_storing(list_of(answer, "Cache-Control"));
}

std::optional<std::uint64_t> content_length(const Answer& answer) {
  // With a transfer coding it does not count (RFC 9112, 6.3).
  if (answer.find("Transfer-Encoding") != nullptr) return std::nullopt;
  const std::string* const text = answer.find("Content-Length");
  if (text == nullptr) return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, code] = std::from_chars(text->data(), end, value);
  if (code != std::errc() || rest != end) return std::nullopt;
  return value;
}

bool is_encoded(const Answer& answer) {
  const std::string* const coding = answer.find("Content-Encoding");
  return coding != nullptr && !coding->empty() && strcasecmp(coding->c_str(), "identity") != 0;
}

}  // namespace shunt::remote
