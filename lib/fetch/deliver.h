// Delivers ranges of an open Source as they arrive.
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/source/session.h"

namespace shunt::fetch {

// Whether the bytes were checked against the digest of the whole blob.
struct Delivered {
  bool verified = false;
};

// Writes the ranges one after the other into an empty regular file; not synced. Returns kIntegrity
// if the blob is complete now and does not match its digest.
Result<Delivered> write_ranges(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                               io::File& out, const Context& context);

// Writes the ranges into an open stream, in order.
Result<Delivered> stream_ranges(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                                io::File& out, const Context& context);

// Fetches the ranges into the cache; does nothing for a local Source.
Result<Delivered> cache_ranges(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                               const Context& context);

}  // namespace shunt::fetch
