// Bytes and sizes for the tests of the sink.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace shunt::sink {

inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// None of them is zero, so that none is left out.
inline std::vector<std::byte> noise(std::size_t size, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<std::byte> bytes(size);
  for (std::size_t at = 0; at < size; at += 4) {
    const std::uint32_t four = static_cast<std::uint32_t>(random()) | 0x01010101U;
    std::memcpy(bytes.data() + at, &four, std::min<std::size_t>(4, size - at));
  }
  return bytes;
}

}  // namespace shunt::sink
