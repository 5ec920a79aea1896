// Functions of a Source whose bytes are fetched on demand from a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"

namespace shunt::io {

// Thread-safe, like Sources. Returned by Source::far_away().
class FarAway {
 public:
  virtual ~FarAway() = default;

  // Starts to fetch what is missing of `ranges`, in this order where order matters for speed, and
  // returns at once. Replaces earlier requests that have not been started.
  virtual void will_need(const std::vector<ByteRange>& ranges) const = 0;
  // Returns the missing parts of `range`, cut to it, although bytes are fetched in larger blocks.
  [[nodiscard]] virtual std::vector<ByteRange> missing(ByteRange range) const = 0;

  // Waits until the first bytes of `range` are there and checked, and returns that part: at least
  // one byte, at most `range`.
  [[nodiscard]] virtual Result<ByteRange> wait_for_start(ByteRange range) const = 0;
  // Waits for any part of `ranges`, whichever comes first; empty ranges are skipped. `index` says
  // to which range the part belongs.
  struct Part {
    std::size_t index = 0;
    ByteRange range;
  };
  [[nodiscard]] virtual Result<Part> wait_for_any(std::span<const ByteRange> ranges) const = 0;
  // Returns where byte 0 lies in a local file; file is null if bytes may be in memory. Only what a
  // wait has returned may be read from it.
  [[nodiscard]] virtual FileRange backing_file() const = 0;

  // Checks the whole blob against its digest, once for all processes. Fetches what is missing.
  // Returns false if there is no digest, and kIntegrity if it does not match.
  [[nodiscard]] virtual Result<bool> verify(const Context& context) const = 0;

  // Number of bytes that this Source has fetched.
  [[nodiscard]] virtual std::uint64_t bytes_fetched() const = 0;
};

}  // namespace shunt::io
