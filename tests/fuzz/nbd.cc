// A client of an NBD server that says anything, in any pieces, and takes replies at any pace. The
// export sees nothing that it must not see, and what comes out is framed as the protocol has it.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "nbd/connection.h"
#include "support/memory_export.h"

namespace {

using namespace shunt;
using namespace shunt::nbd;

void require(bool holds) {
  if (!holds) std::abort();
}

// Gives the input in pieces and takes the output in others; every now and then, nothing goes.
class MemoryTransport : public Transport {
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
    require(moved.bytes > 0);  // nobody asks for nothing
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

  Bytes output;

 private:
  [[nodiscard]] std::size_t most() const { return pace_ < 8 ? 1U << 20U : pace_ * 16U; }
  bool pauses() { return pace_ % 4 == 3 && ++calls_ % 3 == 0; }

  std::span<const std::byte> rest_;
  std::uint8_t pace_;
  unsigned calls_ = 0;
};

// A negotiation that comes to its end, with all that can be agreed upon.
Bytes good_negotiation() {
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

// The answers to it: ACK; META_CONTEXT, ACK; INFO, ACK.
constexpr std::size_t kGreetingSize = 18;
constexpr std::size_t kAnswersSize = kGreetingSize + 5 * 20 + 19 + 12;

// Structured replies can be told apart without knowing the requests; the last may be cut off.
void check_replies(std::span<const std::byte> output) {
  while (output.size() >= kChunkHeaderSize) {
    std::size_t size = kSimpleReplySize;
    if (load_be<std::uint32_t>(output.data()) != kSimpleReplyMagic) {
      require(load_be<std::uint32_t>(output.data()) == kChunkMagic);
      const auto payload = load_be<std::uint32_t>(output.data() + 16);
      const Chunk type{load_be<std::uint16_t>(output.data() + 6)};
      require(payload <= kLargestWrite + 8);
      require((type == Chunk::kNone) == (payload == 0));
      size = kChunkHeaderSize + payload;
    }
    output = output.subspan(std::min(size, output.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const unsigned choices = data[0];
  const bool negotiated = (choices & 1U) != 0;
  Bytes input = negotiated ? good_negotiation() : Bytes();
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  input.insert(input.end(), begin + 3, begin + size);

  test::MemoryExport target(std::size_t{data[2]} << 12U);
  target.offered = {(choices & 2U) != 0, (choices & 4U) != 0};
  if ((choices & 8U) != 0) target.unreadable_from = 70'000;
  if ((choices & 16U) != 0) {
    target.verdict_on = [](ByteRange range) -> Result<void> {
      if (range.end % 5 == 0) return system_error(EPERM, "disk", "write");
      return {};
    };
  }
  MemoryTransport transport(input, data[1]);
  Bytes piece((choices & 32U) != 0 ? kPieceSize : 4096);
  const std::function<void(const Served&)> served = [](const Served& request) {
    require(!request.command.empty() && request.range.begin <= request.range.end);
  };
  const Shared shared{target, served, piece};
  const Offer offer{target.size(), target.features(), 1 << 20, "fuzz"};
  Limits limits;
  limits.read_bytes = 1 << 20;
  Connection connection(transport, shared, offer, limits, 1);
  const bool slow = (choices & 64U) != 0;
  bool over = false;
  for (unsigned turn = 0; turn < 10'000 && !over && transport.output.size() < (8U << 20U); ++turn) {
    target.is_ready = !slow || turn % 3 != 0;
    target.is_flushed = !slow || turn % 5 == 0;
    if (turn == 200 && (choices & 128U) != 0) connection.stop();
    over = connection.serve() == Next::kClosed;
  }
  const std::span<const std::byte> output(transport.output);
  if (negotiated && output.size() > kAnswersSize) check_replies(output.subspan(kAnswersSize));
  return 0;
}
