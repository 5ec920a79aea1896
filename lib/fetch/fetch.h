// `fetch` and `cache-warm`: deliver ranges of a Source to a file, a stream, or the cache.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/source/session.h"
#include "shunt/text/range_text.h"

namespace shunt::fetch {

// The result for one Source, as shown by the JSON of `fetch` and `cache-warm`. Sizes are in bytes.
struct Report {
  std::string source;
  std::string identity;
  bool is_part = false;                // part of a larger thing, such as a layer of an image
  std::uint64_t size = 0;              // of the Source; 0 also if unknown
  std::uint64_t bytes_requested = 0;   // in all ranges
  std::uint64_t bytes_from_cache = 0;  // of these, already in the cache
  std::uint64_t bytes_fetched = 0;     // from the server, in whole blocks
  std::uint64_t requests = 0;          // of any kind
  std::uint64_t data_requests = 0;     // of these, for content of the blob
  std::uint64_t retries = 0;
  double seconds = 0;
  bool nothing_to_warm = false;    // for to_cache: the Source is local
  bool verified = false;           // the whole blob matched its digest, now or when it was stored
  bool kept = false;               // what was fetched, now or before, stays in the cache
  std::vector<ByteRange> missing;  // offline: what the cache lacks
  std::optional<Error> error;
};

// One Source and the ranges to deliver.
struct Request {
  std::string source;
  std::string layer;              // see source::Session::open
  std::vector<RangeText> ranges;  // empty: all of it
  bool head = false;              // also what a player needs first; see head.h
};

struct Options {
  bool force = false;    // an existing output file may be replaced
  Context context = {};  // told of delivered bytes
};

// Writes the ranges, one after the other, to a new file `out`, which appears when it is complete
// and, if there is a digest, verified. Parts are written as they arrive. Extents are shared with
// the cache if the file system can, otherwise the kernel copies. Starts again once if the blob
// changes in between. Failures are in the report.
Report to_file(source::Session& session, const Request& request, const std::string& out,
               const Options& options);

// Same, into an open stream, in order, each byte as soon as its block is there. A digest mismatch
// is an error after the bytes have been sent.
Report to_stream(source::Session& session, const Request& request, io::File& out,
                 const Options& options);

// Downloads what the cache lacks of the ranges; checks the digest of a blob that is then complete.
Report to_cache(source::Session& session, const Request& request, const Options& options);

// Returns one request per layer of an image; for other Sources `request` itself.
[[nodiscard]] Result<std::vector<Request>> each_layer(source::Session& session,
                                                      const Request& request);

}  // namespace shunt::fetch
