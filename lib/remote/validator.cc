#include "remote/validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/ascii.h"
#include "remote/http_fields.h"
#include "remote/printable.h"

namespace shunt::remote {

namespace {

// Of a field that may be there once: "" when it is not there, nullopt when it is there with
// different values.
std::optional<std::string> value_of(const Answer& answer, const char* name) {
  std::optional<std::string> value;
  for (const Field& field : answer.fields) {
    if (!ascii::equal_ignoring_case(field.name, name)) continue;
    if (value && *value != field.value) return std::nullopt;
    value = field.value;
  }
  return value ? value : std::string();
}

// All fields of that name as one list.
std::string list_of(const Answer& answer, const char* name) {
  std::string list;
  for (const Field& field : answer.fields) {
    if (!ascii::equal_ignoring_case(field.name, name)) continue;
    if (!list.empty()) list += ", ";
    list += field.value;
  }
  return list;
}

}  // namespace

std::optional<std::string> etag_of(const Answer& answer) {
  std::optional<std::string> etag = value_of(answer, "ETag");
  if (!etag || !is_etag(*etag)) return std::nullopt;
  return etag;
}

std::optional<std::string> last_modified_of(const Answer& answer) {
  std::optional<std::string> modified = value_of(answer, "Last-Modified");
  if (!modified || !parse_http_date(*modified)) return std::nullopt;
  return modified;
}

std::string validator_of(const Answer& answer) {
  const auto etag = etag_of(answer);
  if (etag && is_strong_etag(*etag)) return *etag;
  const auto modified = last_modified_of(answer);
  if (!modified) return {};
  // Within the second in which it was changed, it may be changed once more unnoticed (8.8.2.2).
  const auto now = parse_http_date(value_of(answer, "Date").value_or(std::string()));
  if (now && *now <= *parse_http_date(*modified)) return {};
  return *modified;
}

bool contradicts(const Answer& answer, const std::string& validator) {
  if (validator.empty()) return false;
  if (is_strong_etag(validator)) {
    const std::optional<std::string> etag = value_of(answer, "ETag");
    if (etag && etag->empty()) return false;
    if (!etag) return true;  // two of them
    // A cache on the way may have weakened it; it still tells versions apart.
    std::string_view opaque = *etag;
    if (opaque.starts_with("W/")) opaque.remove_prefix(2);
    return opaque != validator;
  }
  const std::optional<std::string> modified = value_of(answer, "Last-Modified");
  return !modified || (!modified->empty() && *modified != validator);
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

Freshness freshness_of(const Answer& answer) {
  if (varies(answer)) return {};
  const auto expires = value_of(answer, "Expires");
  const auto date = value_of(answer, "Date");
  const auto age = value_of(answer, "Age");
  if (!expires || !date || !age) return {};
  // What is left of HTTP/1.0 (RFC 9111, 5.4).
  std::string control = list_of(answer, "Cache-Control");
  if (control.empty()) control = list_of(answer, "Pragma");
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const std::int64_t seconds = fresh_for(control, *expires, *date, *age, now);
  return seconds > 0 ? Freshness{now, seconds} : Freshness{};
}

bool forbids_storing(const Answer& answer) {
  return forbids_storing(list_of(answer, "Cache-Control"));
}

Result<std::optional<std::uint64_t>> content_length(const Answer& answer) {
  // With a transfer coding it does not count (RFC 9112, 6.3).
  if (answer.find("Transfer-Encoding") != nullptr || answer.find("Content-Length") == nullptr) {
    return std::optional<std::uint64_t>();
  }
  const std::string list = list_of(answer, "Content-Length");
  const auto length = parse_content_length(list);
  if (length) return length;
  return corrupt(fmt::format("Content-Length: \"{}\" is no length", printable(list, 100)));
}

bool is_encoded(const Answer& answer) {
  const std::string* const coding = answer.find("Content-Encoding");
  return coding != nullptr && !coding->empty() && !ascii::equal_ignoring_case(*coding, "identity");
}

}  // namespace shunt::remote
