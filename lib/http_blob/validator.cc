#include "shunt/http_blob/validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "shunt/http/fields.h"
#include "shunt/text/ascii.h"
#include "shunt/text/printable.h"

namespace shunt::http_blob {

namespace {

// Returns the value of a field that may occur once: "" if missing, nullopt if it occurs with
// different values.
std::optional<std::string> value_of(const http::Answer& answer, const char* name) {
  std::optional<std::string> value;
  for (const http::Field& field : answer.fields) {
    if (!ascii::equal_ignoring_case(field.name, name)) continue;
    if (value && *value != field.value) return std::nullopt;
    value = field.value;
  }
  return value ? value : std::string();
}

}  // namespace

std::optional<std::string> etag_of(const http::Answer& answer) {
  std::optional<std::string> etag = value_of(answer, "ETag");
  if (!etag || !http::is_etag(*etag)) return std::nullopt;
  return etag;
}

std::optional<std::string> last_modified_of(const http::Answer& answer) {
  std::optional<std::string> modified = value_of(answer, "Last-Modified");
  if (!modified || !http::parse_http_date(*modified)) return std::nullopt;
  return modified;
}

std::string validator_of(const http::Answer& answer) {
  const auto etag = etag_of(answer);
  if (etag && http::is_strong_etag(*etag)) return *etag;
  const auto modified = last_modified_of(answer);
  if (!modified) return {};
  // Within the same second, it may be changed again without a new date (8.8.2.2).
  const auto now = http::parse_http_date(value_of(answer, "Date").value_or(std::string()));
  if (now && *now <= *http::parse_http_date(*modified)) return {};
  return *modified;
}

bool contradicts(const http::Answer& answer, const std::string& validator) {
  if (validator.empty()) return false;
  if (http::is_strong_etag(validator)) {
    const std::optional<std::string> etag = value_of(answer, "ETag");
    if (etag && etag->empty()) return false;
    if (!etag) return true;  // repeated with different values
    // A cache on the way may have weakened it; it still distinguishes versions.
    std::string_view opaque = *etag;
    if (opaque.starts_with("W/")) opaque.remove_prefix(2);
    return opaque != validator;
  }
  const std::optional<std::string> modified = value_of(answer, "Last-Modified");
  return !modified || (!modified->empty() && *modified != validator);
}

namespace {

// Returns true if the answer depends on request fields that a copy does not know. shunt sends no
// Accept-Encoding and accepts no compressed answer.
bool varies(const http::Answer& answer) {
  const std::string list = http::list_of(answer, "Vary");
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

blob::Freshness freshness_of(const http::Answer& answer) {
  if (varies(answer)) return {};
  const auto expires = value_of(answer, "Expires");
  const auto date = value_of(answer, "Date");
  const auto age = value_of(answer, "Age");
  if (!expires || !date || !age) return {};
  // For HTTP/1.0 (RFC 9111, 5.4).
  std::string control = http::list_of(answer, "Cache-Control");
  if (control.empty()) control = http::list_of(answer, "Pragma");
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const std::int64_t seconds = http::fresh_for(control, *expires, *date, *age, now);
  return seconds > 0 ? blob::Freshness{now, seconds} : blob::Freshness{};
}

bool forbids_storing(const http::Answer& answer) {
  return http::forbids_storing(http::list_of(answer, "Cache-Control"));
}

bool is_encoded(const http::Answer& answer) {
  const std::string* const coding = answer.find("Content-Encoding");
  return coding != nullptr && !coding->empty() && !ascii::equal_ignoring_case(*coding, "identity");
}

}  // namespace shunt::http_blob
