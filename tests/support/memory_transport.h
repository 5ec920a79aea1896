// Replaces the socket of an NBD connection in tests, with a negotiation to begin with.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "shunt/nbd/channel.h"
#include "shunt/nbd/protocol.h"

namespace shunt::test {

// Delivers the input and takes the output in pieces of various sizes; sometimes nothing moves.
class MemoryTransport : public nbd::Transport {
 public:
  MemoryTransport(std::span<const std::byte> input, std::uint8_t pace)
      : rest_(input), pace_(pace) {}

  Moved receive(std::span<const iovec> into) override {
    if (rest_.empty()) return {0, true};
    if (pauses()) return {};
    Moved moved;
    for (const iovec& vector : into) {
      const std::size_t size = std::min({vector.iov_len, rest_.size(), most() - moved.bytes});
      if (size > 0) std::memcpy(vector.iov_base, rest_.data(), size);
      rest_ = rest_.subspan(size);
      moved.bytes += size;
    }
    if (moved.bytes == 0) std::abort();  // nobody asks for nothing
    return moved;
  }
  Moved send(std::span<const iovec> from) override {
    if (pauses()) return {};
    Moved moved;
    for (const iovec& vector : from) {
      const std::size_t size = std::min(vector.iov_len, 7 * most() - moved.bytes);
      const auto* const begin = static_cast<const std::byte*>(vector.iov_base);
      output.insert(output.end(), begin, begin + size);
      moved.bytes += size;
    }
    return moved;
  }

  nbd::Bytes output;

 private:
  [[nodiscard]] std::size_t most() const { return pace_ < 8 ? 1U << 20U : pace_ * 16U; }
  bool pauses() { return pace_ % 4 == 3 && ++calls_ % 3 == 0; }

  std::span<const std::byte> rest_;
  std::uint8_t pace_;
  unsigned calls_ = 0;
};

// A complete negotiation that requests every feature.
inline nbd::Bytes good_negotiation() {
  using namespace nbd;
  Bytes bytes;
  append(bytes, std::uint32_t{kFixedNewstyle | kNoZeroes});
  const auto option = [&](Option type, const Bytes& data) {
    append(bytes, kOptionMagic);
    append(bytes, static_cast<std::uint32_t>(type));
    append(bytes, static_cast<std::uint32_t>(data.size()));
    bytes.insert(bytes.end(), data.begin(), data.end());
  };
  Bytes context;
  append(context, std::uint32_t{0});
  append(context, std::uint32_t{1});
  append(context, std::uint32_t{15});
  append(context, std::string_view("base:allocation"));
  option(Option::kStructuredReply, {});
  option(Option::kSetMetaContext, context);
  option(Option::kGo, Bytes(6));
  return bytes;
}

// Size of the greeting and the replies: ACK; META_CONTEXT, ACK; INFO, ACK.
inline constexpr std::size_t kGoodAnswersSize = 18 + 5 * 20 + 19 + 12;

}  // namespace shunt::test
