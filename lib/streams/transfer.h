// Double-buffered transfer: one thread fills a buffer while another drains the previous one.
//
// Memory is kTransferBuffers buffers, whatever the amount. Filling runs in its own thread, up to
// that many buffers ahead; draining runs in the caller's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "shunt/base/context.h"
#include "shunt/base/result.h"

namespace shunt::streams {

inline constexpr std::size_t kTransferBuffers = 2;
inline constexpr std::size_t kTransferBufferSize = std::size_t{2} << 20;

// A buffer in transfer. `fill` may shorten `data`. The other members are between `fill` and
// `drain`; the transfer ignores them.
struct Block {
  std::span<std::byte> data;  // owned by the transfer
  std::uint64_t at = 0;       // offset to write to
  std::uint64_t zeros = 0;    // size of a hole in place of data, in bytes
  std::uint64_t digest = 0;   // of the step, in the block that ends it
  bool was_cached = false;    // in the page cache, before it was read
  bool ends_step = false;     // last block of a step that is made durable as a whole
};

// Fills `block`. Returns false at the end, when nothing was filled.
using Fill = std::function<Result<bool>(Block& block)>;
using Drain = std::function<Result<void>(const Block& block)>;

struct TransferOptions {
  std::size_t buffer_size = kTransferBufferSize;
  Context context = {};  // checked before each drain, told of drained bytes
};

// Transfers blocks in order until `fill` ends. The first error of either side ends it and is
// returned; blocks filled before an error of `fill` are drained first. Both sides have ended on
// return.
Result<void> transfer(const Fill& fill, const Drain& drain, const TransferOptions& options = {});

}  // namespace shunt::streams
