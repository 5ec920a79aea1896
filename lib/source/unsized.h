// A body whose size is only known at its end: an archive created while it is sent, or the output of
// a program. It comes once, in order from its start, and may be endless. It is passed on as it
// comes, is not stored, and is dropped as soon as enough has arrived.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "shunt/base/result.h"
#include "shunt/blob/download.h"
#include "shunt/blob/traffic.h"
#include "shunt/io/source.h"

namespace shunt::source {

class Unsized {
 public:
  virtual ~Unsized() = default;

  [[nodiscard]] virtual const std::string& name() const = 0;  // for people

  struct End {
    Result<void> outcome;
    blob::Traffic traffic;  // also of a failed read
  };
  // Passes the first `most` bytes (not 0), or all, to `receiver`, on another thread. Blocks until
  // the end.
  [[nodiscard]] virtual End read(blob::Receiver& receiver, std::uint64_t most) const = 0;
};

// Limit on what is spooled to $TMPDIR for a body that has to be read at random, in bytes.
inline constexpr std::uint64_t kMostSpooled = std::uint64_t{1} << 30;

// The result of a read, also if it failed.
struct UnsizedRead {
  Result<void> outcome;
  blob::Traffic traffic;
  std::uint64_t size = 0;  // bytes that were passed on
};

// Spools all of it into `source`, in memory or $TMPDIR; kCorrupt if it has more than `most` bytes.
[[nodiscard]] UnsizedRead spool_unsized(const Unsized& body, io::SourcePtr& source,
                                        std::uint64_t most = kMostSpooled);

// Receives bytes and their offset from the start.
using TakeBytes =
    std::function<Result<void>(std::uint64_t offset, std::span<const std::byte> bytes)>;
[[nodiscard]] UnsizedRead read_unsized(const Unsized& body, std::uint64_t most,
                                       const TakeBytes& take);

}  // namespace shunt::source
