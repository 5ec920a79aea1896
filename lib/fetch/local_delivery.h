// What is local on its way out: nothing has to be waited for.
#pragma once

#include <vector>

#include "base/byte_range.h"
#include "base/result.h"
#include "fetch/deliver.h"
#include "io/file.h"
#include "source/session.h"

namespace shunt::fetch {

// As write_ranges() and stream_ranges(), of an `opened` that is not far.
Result<Delivered> write_local(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                              io::File& out, const DeliverOptions& options);
Result<Delivered> stream_local(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                               io::File& out, const DeliverOptions& options);

}  // namespace shunt::fetch
