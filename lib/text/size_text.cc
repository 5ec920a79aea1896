#include "shunt/text/size_text.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <optional>

#include "shunt/base/checked.h"
#include "shunt/text/decimal.h"

namespace shunt {
namespace {

// Returns the multiplier of a unit: "K" and "KiB" 1024, "KB" 1000, "" and "B" 1.
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
  const Result<Decimal> number = read_decimal(text);
  if (!number) return bad_size(text, number.error().reason);
  const auto unit = unit_of(number->rest);
  if (!unit) return bad_size(text, fmt::format("'{}' is not a unit", number->rest));
  const auto product = checked_mul(number->digits, *unit);
  if (!product) return bad_size(text, "it is too large");
  if (*product % number->scale != 0) return bad_size(text, "it is not a whole number of bytes");
  return *product / number->scale;
}

std::string size_to_type(std::uint64_t bytes) {
  constexpr std::array kUnits = {"", "K", "M", "G", "T"};
  std::size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + kUnits[unit];
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
