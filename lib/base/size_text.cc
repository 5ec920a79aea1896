#include "base/size_text.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <optional>

#include "base/checked.h"

namespace shunt {
namespace {

// The multiplier that a unit stands for: "K" and "KiB" 1024, "KB" 1000, "" and "B" 1.
std::optional<std::uint64_t> unit_of(std::string_view text) {
  std::string unit;
  for (const char c : text) unit += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (unit.empty() || unit == "B") return 1;
  constexpr std::string_view kPrefixes = "KMGT";
  const std::size_t power = kPrefixes.find(unit[0]);
  if (power == std::string_view::npos) return std::nullopt;
  const std::string_view rest = std::string_view(unit).substr(1);
  std::uint64_t base = 0;
  if (rest.empty() || rest == "IB") base = 1024;
  if (rest == "B") base = 1000;
  if (base == 0) return std::nullopt;
  std::uint64_t multiplier = 1;
  for (std::size_t i = 0; i <= power; ++i) multiplier *= base;
  return multiplier;
}

Error bad_size(std::string_view text, std::string_view why) {
  return usage(fmt::format("'{}' is not a size: {}", text, why))
      .with_hint("a size is a number of bytes, or a number with K, M, G, T (KiB…), KB, MB, GB, TB");
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  if (text.empty()) return bad_size(text, "it is empty");
  if (text[0] == '-') return bad_size(text, "it is negative");
  // The number is kept as digits and a count of decimals, so that nothing passes through a double.
  std::uint64_t digits = 0;
  std::uint64_t scale = 1;
  bool any_digit = false;
  bool after_point = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !after_point) {
      after_point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    any_digit = true;
    const auto tenfold = checked_mul<std::uint64_t>(digits, 10);
    const auto next =
        tenfold ? checked_add<std::uint64_t>(*tenfold, static_cast<std::uint64_t>(c - '0'))
                : std::nullopt;
    if (!next) return bad_size(text, "it is too large");
    digits = *next;
    if (after_point) {
      const auto next_scale = checked_mul<std::uint64_t>(scale, 10);
      if (!next_scale) return bad_size(text, "it has too many decimals");
      scale = *next_scale;
    }
  }
  if (!any_digit) return bad_size(text, "it does not begin with a digit");
  const auto unit = unit_of(text.substr(i));
  if (!unit) return bad_size(text, fmt::format("'{}' is no unit", text.substr(i)));
  const auto product = checked_mul(digits, *unit);
  if (!product) return bad_size(text, "it is too large");
  if (*unit == 1 && *product % scale != 0)
    return bad_size(text, "it is not a whole number of bytes");
  return *product / scale;
}

std::string format_size(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", value, decimals, kUnits[unit]);
}

}  // namespace shunt
