// Delivery of local Sources, which never has to wait.
#pragma once

#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/fetch/deliver.h"
#include "shunt/io/file.h"
#include "shunt/source/session.h"

namespace shunt::fetch {

// Like write_ranges() and stream_ranges(), for a local `opened`.
Result<Delivered> write_local(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                              io::File& out, const Context& context);
Result<Delivered> stream_local(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                               io::File& out, const Context& context);

}  // namespace shunt::fetch
