// Delivering ranges of a Source to a file or a stream, as they arrive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_range.h"
#include "base/cancel.h"
#include "base/progress.h"
#include "base/result.h"
#include "fetch/session.h"
#include "io/file.h"

namespace shunt::fetch {

// What became of one SOURCE. The JSON of `fetch` and `cache-warm` shows these.
struct Report {
  std::string source;
  std::string identity;
  std::uint64_t size = 0;
  std::uint64_t bytes_requested = 0;
  std::uint64_t bytes_from_cache = 0;
  std::uint64_t bytes_fetched = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  double seconds = 0;
  bool verified = false;  // the whole blob was held against its digest, now or when it was stored
  std::optional<Error> error;
};

struct DeliverOptions {
  bool force = false;  // an output file may replace an existing one
  const CancelToken* cancel = nullptr;
  Progress* progress = nullptr;
};

// Writes `ranges` of the source, one after the other, to a new file `out`, which appears when it is
// whole and verified. Parts are written as they arrive, in whatever order; extents are shared with
// the cache where the file system can, otherwise the kernel copies.
Result<void> to_file(const Opened& source, const std::vector<ByteRange>& ranges,
                     const std::string& out, const DeliverOptions& options);

// The same into an open stream, in order, each byte as soon as its block is there: splice(2) into a
// pipe, sendfile(2) into a socket, otherwise through a buffer. When the digest does not match in
// the end, the bytes have gone out and the error says so.
Result<void> to_stream(const Opened& source, const std::vector<ByteRange>& ranges, io::File& out,
                       const DeliverOptions& options);

// Downloads what the cache lacks of `ranges`, and verifies when that makes the blob whole.
Result<void> to_cache(const Opened& source, const std::vector<ByteRange>& ranges,
                      const DeliverOptions& options);

}  // namespace shunt::fetch
