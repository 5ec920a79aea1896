// A few threads for many pieces of work.
#pragma once

#include <cstddef>
#include <functional>

#include "shunt/base/result.h"

namespace shunt::cli {

// Calls `work` once for each number below `count`, in ascending order as threads get free, from at
// most `threads` threads, of which this is one. Returns when all have returned: an error for what
// `work` threw, which keeps numbers from being taken. Fewer threads than wished for will do.
Result<void> for_each_number(std::size_t count, unsigned threads,
                             const std::function<void(std::size_t)>& work);

}  // namespace shunt::cli
