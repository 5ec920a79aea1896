// A body whose size shows only at its end: an archive that is made while it is sent, the output of
// a program. It comes once, from its start, in order, and may have no end. It is passed on as it
// comes, kept nowhere, and left as soon as enough of it is here.
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
    blob::Traffic traffic;  // also of what failed
  };
  // Hands the first `most` bytes, which are not none, or all of it to `receiver`, on a thread of
  // its own; blocks until that has ended.
  [[nodiscard]] virtual End read(blob::Receiver& receiver, std::uint64_t most) const = 0;
};

// Where such a body has to be read at random, as much of it may go to $TMPDIR.
inline constexpr std::uint64_t kMostSpooled = std::uint64_t{1} << 30;

// What came of reading one, also when it failed.
struct UnsizedRead {
  Result<void> outcome;
  blob::Traffic traffic;
  std::uint64_t size = 0;  // bytes that were handed on
};

// All of it into `source`, by way of memory or $TMPDIR; more than `most` is kCorrupt.
[[nodiscard]] UnsizedRead spool_unsized(const Unsized& body, io::SourcePtr& source,
                                        std::uint64_t most = kMostSpooled);

// Hands what comes to `take`, with its place from 0.
using TakeBytes =
    std::function<Result<void>(std::uint64_t offset, std::span<const std::byte> bytes)>;
[[nodiscard]] UnsizedRead read_unsized(const Unsized& body, std::uint64_t most,
                                       const TakeBytes& take);

}  // namespace shunt::source
