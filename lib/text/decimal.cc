#include "shunt/text/decimal.h"

#include <cstddef>
#include <optional>

#include "shunt/base/checked.h"
#include "shunt/text/ascii.h"

namespace shunt {

Result<Decimal> read_decimal(std::string_view text) {
  Decimal number;
  bool any_digit = false;
  bool after_point = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !after_point) {
      after_point = true;
      continue;
    }
    if (!ascii::is_digit(c)) break;
    any_digit = true;
    const auto tenfold = checked_mul<std::uint64_t>(number.digits, 10);
    const auto digits =
        tenfold ? checked_add<std::uint64_t>(*tenfold, static_cast<std::uint64_t>(c - '0'))
                : std::nullopt;
    if (!digits) return usage(after_point ? "it has too many decimals" : "it is too large");
    number.digits = *digits;
    const auto scale =
        after_point ? checked_mul<std::uint64_t>(number.scale, 10) : std::optional(number.scale);
    if (!scale) return usage("it has too many decimals");
    number.scale = *scale;
  }
  if (!any_digit) return usage("it does not begin with a digit");
  number.rest = text.substr(i);
  return number;
}

}  // namespace shunt
