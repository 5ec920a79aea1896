// Overflow-checked arithmetic on sizes and offsets from files and servers.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

namespace shunt {

// Return nullopt on overflow.
template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> checked_add(T a, T b) {
  T sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> checked_mul(T a, T b) {
  T product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

// Returns `value` + `delta`; nullopt below zero or above 2^64 - 1.
[[nodiscard]] constexpr std::optional<std::uint64_t> checked_shift(std::uint64_t value,
                                                                   std::int64_t delta) {
  std::uint64_t moved;
  if (__builtin_add_overflow(value, delta, &moved)) return std::nullopt;
  return moved;
}

[[nodiscard]] constexpr std::uint64_t round_down(std::uint64_t value, std::uint64_t unit) {
  return value - value % unit;
}

// Rounds up to a multiple of `unit`; the caller ensures that this does not overflow.
[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return round_down(value + unit - 1, unit);
}

}  // namespace shunt
