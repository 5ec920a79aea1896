#include "report/description.h"

#include <algorithm>
#include <utility>

namespace shunt::cli {

Field& Description::add_bytes(std::string name, std::uint64_t bytes) {
  return add({.name = std::move(name), .value = bytes, .unit = Unit::kBytes});
}

Field& Description::add_text(std::string name, const std::string& text) {
  return add({.name = std::move(name), .value = text.empty() ? Value() : Value(text)});
}

const Field* Description::find(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  return found == fields_.end() ? nullptr : &*found;
}

std::string noun_for(std::uint64_t number, std::string_view one, std::string_view several) {
  return std::string(number == 1 ? one : several);
}

}  // namespace shunt::cli
