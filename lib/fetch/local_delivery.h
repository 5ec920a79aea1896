// What is local on its way out: nothing has to be waited for.
#pragma once

#include <vector>

#include "base/byte_range.h"
#include "base/result.h"
#include "fetch/deliver.h"
#include "fetch/session.h"
#include "io/file.h"

namespace shunt::fetch {

// As write_ranges() and stream_ranges(), of an `opened` that is not cached.
Result<Delivered> write_local(const Opened& opened, const std::vector<ByteRange>& ranges,
                              io::File& out, const DeliverOptions& options);
Result<Delivered> stream_local(const Opened& opened, const std::vector<ByteRange>& ranges,
                               io::File& out, const DeliverOptions& options);

}  // namespace shunt::fetch
