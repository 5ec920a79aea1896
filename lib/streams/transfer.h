// The double-buffered transfer: one side fills a buffer while the other drains the one before.
//
// Memory is kTransferBuffers buffers, whatever the amount. The filling side runs in a thread of its
// own and may be that many buffers ahead; the draining side runs in the caller's.
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

// A buffer on its way. The filling side may shorten `data`; the other members are for both sides to
// agree on, the transfer does not look at them.
struct Block {
  std::span<std::byte> data;  // owned by the transfer
  std::uint64_t at = 0;       // where the bytes go
  std::uint64_t zeros = 0;    // a hole of this size instead of data
  std::uint64_t digest = 0;   // of the step, where it ends
  bool was_cached = false;    // by the page cache, before it was read
  bool ends_step = false;     // the last block of something that is made durable as a whole
};

// Fills `block`; false at the end, when nothing was filled.
using Fill = std::function<Result<bool>(Block& block)>;
using Drain = std::function<Result<void>(const Block& block)>;

struct TransferOptions {
  std::size_t buffer_size = kTransferBufferSize;
  Context context = {};  // asked before each drain, told of drained bytes
};

// Moves blocks in order until `fill` ends. The first error of either side ends it and is returned;
// what was filled before an error of `fill` is drained first. Both threads are done on return.
Result<void> transfer(const Fill& fill, const Drain& drain, const TransferOptions& options = {});

}  // namespace shunt::streams
