#include "shunt/blob/request.h"

#include <algorithm>

#include "shunt/text/ascii.h"

namespace shunt::blob {

const std::string* find_field(const std::vector<Field>& fields, std::string_view name) {
  const auto found = std::ranges::find_if(
      fields, [&](const Field& field) { return ascii::equal_ignoring_case(field.name, name); });
  return found == fields.end() ? nullptr : &found->value;
}

}  // namespace shunt::blob
