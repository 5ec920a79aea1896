// A request to a server and the head of its answer, as an Authorizer sees them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/byte_range.h"

namespace shunt::blob {

// A header field; names are case-insensitive (RFC 9110, 5.1).
struct Field {
  std::string name;
  std::string value;  // without surrounding white space
};

// A value.
struct Request {
  std::string method = "GET";  // GET, HEAD or POST
  std::string url;             // without user and password
  std::vector<Field> fields;
  std::optional<ByteRange> range;  // asks for "bytes=a-b", closed; not empty
  std::string body;                // only for POST
};

// Returns the value of the first field of that name, or nullptr.
[[nodiscard]] const std::string* find_field(const std::vector<Field>& fields,
                                            std::string_view name);

struct Answer {
  int status = 0;
  std::vector<Field> fields;  // of the final answer, not of interim ones

  [[nodiscard]] const std::string* find(std::string_view name) const {
    return find_field(fields, name);
  }
};

}  // namespace shunt::blob
