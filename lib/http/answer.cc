#include <fmt/format.h>

#include "shunt/http/client.h"
#include "shunt/http/fields.h"
#include "shunt/text/ascii.h"
#include "shunt/text/printable.h"

namespace shunt::http {

std::string list_of(const Answer& answer, std::string_view name) {
  std::string list;
  for (const Field& field : answer.fields) {
    if (!ascii::equal_ignoring_case(field.name, name)) continue;
    if (!list.empty()) list += ", ";
    list += field.value;
  }
  return list;
}

Result<std::optional<std::uint64_t>> content_length(const Answer& answer) {
  // It does not count with a transfer coding (RFC 9112, 6.3).
  if (answer.find("Transfer-Encoding") != nullptr || answer.find("Content-Length") == nullptr) {
    return std::optional<std::uint64_t>();
  }
  const std::string list = list_of(answer, "Content-Length");
  const auto length = parse_content_length(list);
  if (length) return length;
  return corrupt(fmt::format("Content-Length: \"{}\" is not a length", one_line(list, 100)));
}

}  // namespace shunt::http
