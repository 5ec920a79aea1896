// `fetch` and `cache-warm`: ranges of a Source to a file, a stream, or the cache.
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

// What became of one Source. The JSON of `fetch` and `cache-warm` shows these. A value.
struct Report {
  std::string source;
  std::string identity;
  bool is_part = false;                // such as a layer of an image
  std::uint64_t size = 0;              // of the Source; 0 too when nobody has told it
  std::uint64_t bytes_requested = 0;   // in all ranges
  std::uint64_t bytes_from_cache = 0;  // of these, what was there before
  std::uint64_t bytes_fetched = 0;     // from the server, in whole blocks
  std::uint64_t requests = 0;          // of any kind
  std::uint64_t data_requests = 0;     // of these, for bytes of the blob
  std::uint64_t retries = 0;
  double seconds = 0;
  bool nothing_to_warm = false;  // of to_cache: it is local
  bool verified = false;         // the whole was held against its digest, now or when it was stored
  bool kept = false;  // what has come of it, now or before, lies in the cache for the next time
  std::vector<ByteRange> missing;  // what the cache lacks, when offline
  std::optional<Error> error;
};

// One Source and what is asked for of it.
struct Request {
  std::string source;
  std::string layer;              // see source::Session::open
  std::vector<RangeText> ranges;  // none: all of it
  bool head = false;              // besides ranges: what a player needs first; see head.h
};

struct Options {
  bool force = false;    // an output file may replace an existing one
  Context context = {};  // told of bytes as they are delivered
};

// Writes the ranges, one after the other, to a new file `out`, which appears when it is whole and,
// where there is a digest, verified. Parts are written as they arrive, in whatever order; extents
// are shared with the cache where the file system can, otherwise the kernel copies. Starts again,
// once, when the blob changes on the way. Failures are in the report.
Report to_file(source::Session& session, const Request& request, const std::string& out,
               const Options& options);

// The same into an open stream, in order, each byte as soon as its block is there. A digest that
// does not match is an error after the bytes have gone out.
Report to_stream(source::Session& session, const Request& request, io::File& out,
                 const Options& options);

// Downloads what the cache lacks of the ranges, and holds a blob that is whole then against its
// digest.
Report to_cache(source::Session& session, const Request& request, const Options& options);

// One request for each layer of an image, otherwise the request itself.
[[nodiscard]] Result<std::vector<Request>> each_layer(source::Session& session,
                                                      const Request& request);

}  // namespace shunt::fetch
