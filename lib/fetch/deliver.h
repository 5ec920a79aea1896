// Moving ranges of an open Source to where they should go, as they arrive.
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/source/session.h"

namespace shunt::fetch {

// Whether the bytes were held against the digest of the whole.
struct Delivered {
  bool verified = false;
};

// Into an empty regular file, one range after the other; not synced. Fails with kIntegrity when the
// blob is whole now and does not have its digest.
Result<Delivered> write_ranges(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                               io::File& out, const Context& context);

// Into an open stream, in order.
Result<Delivered> stream_ranges(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                                io::File& out, const Context& context);

// Into the cache; nothing to do for what is local.
Result<Delivered> cache_ranges(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                               const Context& context);

}  // namespace shunt::fetch
