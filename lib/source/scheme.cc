#include "shunt/source/scheme.h"

#include <algorithm>
#include <cstddef>

#include "shunt/text/ascii.h"

namespace shunt::source {

std::string_view scheme_of(std::string_view name) {
  const std::size_t end = name.find("://");
  if (end == std::string_view::npos || end == 0) return {};
  const std::string_view scheme = name.substr(0, end);
  const bool begins_with_letter =
      ascii::is_alphanumeric(scheme.front()) && !ascii::is_digit(scheme.front());
  const auto may_be_in = [](char c) {
    return ascii::is_alphanumeric(c) || c == '+' || c == '-' || c == '.';
  };
  return begins_with_letter && std::ranges::all_of(scheme, may_be_in) ? scheme : std::string_view();
}

}  // namespace shunt::source
