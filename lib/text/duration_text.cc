#include "shunt/text/duration_text.h"

#include <fmt/format.h>

#include <cstdint>

#include "shunt/base/checked.h"
#include "shunt/text/decimal.h"

namespace shunt {
namespace {

constexpr std::uint64_t kMost = INT32_MAX;  // milliseconds, as poll(2) takes them

Error bad_duration(std::string_view text) {
  return usage(fmt::format("'{}' is not a span of time", text))
      .with_hint("a span of time is a number of seconds, or a number with ms, s, m or h");
}

// Returns the milliseconds of a unit; 0: unknown unit.
std::uint64_t unit_in_ms(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit.empty() || unit == "s") return 1000;
  if (unit == "m") return 60'000;
  return unit == "h" ? 3'600'000 : 0;
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const Result<Decimal> number = read_decimal(text);
  if (!number) return bad_duration(text);
  const std::uint64_t unit = unit_in_ms(number->rest);
  const auto product = checked_mul(number->digits, unit);
  // Fractions of a millisecond are dropped.
  if (unit == 0 || !product || *product / number->scale > kMost) return bad_duration(text);
  return std::chrono::milliseconds(*product / number->scale);
}

std::string format_duration(std::chrono::milliseconds span) {
  return fmt::format("{:.3g} s", static_cast<double>(span.count()) / 1000);
}

}  // namespace shunt
