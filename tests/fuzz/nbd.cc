// A client of an NBD server that says anything, in any pieces, and takes replies at any pace. The
// export sees nothing that it must not see, and what comes out is framed as the protocol has it.
#include <algorithm>
#include <cstdlib>

#include "shunt/nbd/connection.h"
#include "support/memory_export.h"
#include "support/memory_transport.h"

namespace {

using namespace shunt;
using namespace shunt::nbd;

void require(bool holds) {
  if (!holds) std::abort();
}

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
  Bytes input = negotiated ? test::good_negotiation() : Bytes();
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  input.insert(input.end(), begin + 3, begin + size);

  test::MemoryExport target(std::size_t{data[2]} << 12U);
  target.offered.multi_conn = (choices & 2U) != 0;
  target.offered.fast_zero = (choices & 4U) != 0;
  target.offered.read_only = data[2] % 16 == 15;
  if ((choices & 8U) != 0) target.unreadable_from = 70'000;
  if ((choices & 16U) != 0) {
    target.verdict_on = [](ByteRange range) -> Result<void> {
      if (range.end % 5 == 0) return system_error(EPERM, "disk", "write");
      return {};
    };
  }
  test::MemoryTransport transport(input, data[1]);
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
    target.has_come = !slow || turn % 4 == 0 ? UINT64_MAX : 100'000;
    if (turn == 200 && (choices & 128U) != 0) connection.stop();
    over = connection.serve() == Next::kClosed;
  }
  const std::span<const std::byte> output(transport.output);
  if (negotiated && output.size() > test::kGoodAnswersSize) {
    check_replies(output.subspan(test::kGoodAnswersSize));
  };
  return 0;
}
