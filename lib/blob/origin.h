// A blob on a server, of which any range can be asked for. What the cache fills itself from.
#pragma once

#include <memory>

#include "shunt/base/byte_range.h"
#include "shunt/blob/download.h"
#include "shunt/blob/info.h"
#include "shunt/blob/traffic.h"

namespace shunt::blob {

// Thread-safe. Errors: kNetwork for what the server or the way to it did wrong, kCorrupt for
// answers that contradict themselves, kInterrupted once the client's CancelToken is requested.
class Origin {
 public:
  virtual ~Origin() = default;
  [[nodiscard]] virtual const Info& info() const = 0;
  // Starts to download `range`, which lies within the blob and is not empty. Retries, resumes,
  // follows redirects and renews tokens by itself. `receiver` is not owned, and outlives the
  // Download or its call of finished(), whichever ends first.
  [[nodiscard]] virtual std::unique_ptr<Download> start(ByteRange range, Receiver& receiver) = 0;
  // False once the server has sent the whole blob when it was asked for a part of it; and of a blob
  // of which nothing tells versions apart (no digest, no ETag, no Last-Modified): parts from
  // several answers could not be joined, so that every download brings all of it, in one answer.
  [[nodiscard]] virtual bool serves_ranges() const = 0;
  // True once the server has shown another version of the blob than info() describes. Downloads
  // fail then, and what is kept of the blob is of no use any more.
  [[nodiscard]] virtual bool has_changed() const = 0;
  // Seconds from a request to the first byte of its answer, and bytes a second of one connection,
  // both of recent requests; 0: not known yet.
  [[nodiscard]] virtual double latency() const = 0;
  [[nodiscard]] virtual double rate() const = 0;
  [[nodiscard]] virtual Traffic traffic() const = 0;  // of this blob
};

}  // namespace shunt::blob
