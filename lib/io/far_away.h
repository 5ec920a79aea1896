// What can be asked of a Source whose bytes are far away and come as they are wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/progress.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"

namespace shunt::io {

// Thread-safe, as Sources are. Found by Source::far_away().
class FarAway {
 public:
  virtual ~FarAway() = default;

  // Starts to bring what is missing of `ranges`, in this order where order matters to speed, and
  // returns at once. Replaces what was asked for before and has not been started.
  virtual void will_need(const std::vector<ByteRange>& ranges) const = 0;
  // What has not come yet of `range`; cut to it, though it comes in larger pieces.
  [[nodiscard]] virtual std::vector<ByteRange> missing(ByteRange range) const = 0;

  // Waits until the first bytes of `range` are there and checked, and returns how far they are from
  // its start: at least one, at most `range`.
  [[nodiscard]] virtual Result<ByteRange> wait_for_start(ByteRange range) const = 0;
  // The same for any part of `ranges`, whichever comes first; empty ranges are passed over. The
  // part belongs to the range whose index is returned.
  struct Part {
    std::size_t index = 0;
    ByteRange range;
  };
  [[nodiscard]] virtual Result<Part> wait_for_any(std::span<const ByteRange> ranges) const = 0;
  // Where byte 0 lies in a local file, whatever is there of it; file is null when bytes may be in
  // memory. Only what a wait has returned may be read from it.
  [[nodiscard]] virtual FileRange backing_file() const = 0;

  // Holds all of it against its digest, once and for all processes. Waits for what is missing.
  // Returns whether it is verified: false where there is no digest. kIntegrity when it does not
  // match.
  [[nodiscard]] virtual Result<bool> verify(Progress* progress) const = 0;

  // How much this Source has brought so far.
  [[nodiscard]] virtual std::uint64_t bytes_fetched() const = 0;
};

}  // namespace shunt::io
