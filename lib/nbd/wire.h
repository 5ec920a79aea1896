// NBD messages in byte buffers: big-endian numbers, texts with a length prefix.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "shunt/base/big_endian.h"

namespace shunt::nbd {

using Bytes = std::vector<std::byte>;

template <std::unsigned_integral T>
void append(Bytes& to, T value) {
  const std::size_t at = to.size();
  to.resize(at + sizeof value);
  store_be(to.data() + at, value);
}

inline void append(Bytes& to, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// Parses what a client sent, front to back; nullopt at the end of the data. `bytes` is not owned.
class WireReader {
 public:
  explicit WireReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <std::unsigned_integral T>
  [[nodiscard]] std::optional<T> number() {
    if (rest_.size() < sizeof(T)) return std::nullopt;
    const T value = load_be<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }

  // A 32-bit length and as many bytes.
  [[nodiscard]] std::optional<std::string_view> text() {
    const auto size = number<std::uint32_t>();
    if (!size || *size > rest_.size()) return std::nullopt;
    const std::string_view value(reinterpret_cast<const char*>(rest_.data()), *size);
    rest_ = rest_.subspan(*size);
    return value;
  }

  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace shunt::nbd
