#include "shunt/text/range_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "shunt/text/size_text.h"

namespace shunt {
namespace {

Error bad_range(std::string_view text, std::string_view why) {
  return usage(fmt::format("'{}' is not a range: {}", text, why))
      .with_hint("a range is START-END (END included), START+LENGTH, START- or -LAST");
}

}  // namespace

Result<ByteRange> RangeText::of(std::uint64_t size) const {
  if (!begin) {
    const std::uint64_t last = std::min(length.value_or(0), size);
    return ByteRange{size - last, size};
  }
  // For an empty source, any range from 0 is valid and empty.
  if (*begin >= size && *begin > 0) {
    return usage(fmt::format("the range begins at byte {}, but there are only {}", *begin, size));
  }
  return ByteRange::of(*begin, std::min(length.value_or(size), size - *begin));
}

Result<RangeText> parse_range(std::string_view text) {
  const std::size_t sign = text.find_first_of("+-");
  if (sign == std::string_view::npos) return bad_range(text, "it contains neither '-' nor '+'");
  const std::string_view first = text.substr(0, sign);
  const std::string_view second = text.substr(sign + 1);
  RangeText range;
  std::uint64_t number = 0;
  if (!first.empty()) {
    SHUNT_ASSIGN(number, parse_size(first));
    range.begin = number;
  }
  if (text[sign] == '+') {
    if (first.empty()) return bad_range(text, "it has no START");
    SHUNT_ASSIGN(number, parse_size(second));
    range.length = number;
  } else if (first.empty()) {
    SHUNT_ASSIGN(number, parse_size(second));
    range.length = number;
  } else if (!second.empty()) {
    SHUNT_ASSIGN(number, parse_size(second));
    if (number < *range.begin) return bad_range(text, "END is before START");
    // A range from 0 to 2^64 - 1 is the same as one to the end.
    if (number - *range.begin < UINT64_MAX) range.length = number - *range.begin + 1;
  }
  if (range.length == std::uint64_t{0}) return bad_range(text, "it is empty");
  return range;
}

}  // namespace shunt
