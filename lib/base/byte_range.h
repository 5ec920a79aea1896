// A half-open range of bytes, [begin, end).
#pragma once

#include <algorithm>
#include <cstdint>

namespace shunt {

struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // never below begin

  [[nodiscard]] static constexpr ByteRange of(std::uint64_t begin, std::uint64_t size) {
    return {begin, begin + size};
  }
  [[nodiscard]] constexpr std::uint64_t size() const { return end - begin; }
  [[nodiscard]] constexpr bool empty() const { return begin == end; }
  [[nodiscard]] constexpr bool contains(std::uint64_t offset) const {
    return begin <= offset && offset < end;
  }
  [[nodiscard]] constexpr bool contains(ByteRange other) const {
    return begin <= other.begin && other.end <= end;
  }
  // Returns the common part; empty (at some position) if there is none.
  [[nodiscard]] constexpr ByteRange intersect(ByteRange other) const {
    const std::uint64_t from = std::max(begin, other.begin);
    return {from, std::max(from, std::min(end, other.end))};
  }
  [[nodiscard]] constexpr ByteRange moved_by(std::uint64_t distance) const {
    return {begin + distance, end + distance};
  }
  friend constexpr bool operator==(ByteRange, ByteRange) = default;
};

}  // namespace shunt
