// A blob on a server, whose ranges can be requested; the cache fills itself from it.
#pragma once

#include <memory>

#include "shunt/base/byte_range.h"
#include "shunt/blob/download.h"
#include "shunt/blob/info.h"
#include "shunt/blob/traffic.h"

namespace shunt::blob {

// Thread-safe. Errors: kNetwork for failures of server or network, kCorrupt for inconsistent
// answers, kInterrupted once the client's CancelToken is requested.
class Origin {
 public:
  virtual ~Origin() = default;
  [[nodiscard]] virtual const Info& info() const = 0;
  // Starts to download `range`, which lies within the blob and is not empty. Retries, resumes,
  // follows redirects and renews tokens. `receiver` is not owned; it outlives the Download, or its
  // own finished(), whichever ends first.
  [[nodiscard]] virtual std::unique_ptr<Download> start(ByteRange range, Receiver& receiver) = 0;
  // False if the server has sent the whole blob for a request of a part. Also false if nothing
  // tells versions apart (no digest, no ETag, no Last-Modified): parts of several answers could not
  // be joined, so every download fetches the whole blob in one answer.
  [[nodiscard]] virtual bool serves_ranges() const = 0;
  // True once the server has shown another version than info() describes. Downloads then fail, and
  // what was kept of the blob is useless.
  [[nodiscard]] virtual bool has_changed() const = 0;
  // Recent latency in seconds, from a request to the first byte of its answer, and rate of one
  // connection in bytes per second; 0: unknown.
  [[nodiscard]] virtual double latency() const = 0;
  [[nodiscard]] virtual double rate() const = 0;
  [[nodiscard]] virtual Traffic traffic() const = 0;  // of this blob
};

}  // namespace shunt::blob
