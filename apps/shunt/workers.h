// Runs many tasks on a few threads.
#pragma once

#include <cstddef>
#include <functional>

#include "shunt/base/result.h"

namespace shunt::cli {

// Calls `work` once for each number below `count`, in ascending order as threads become free, on at
// most `threads` threads including this one. Returns when all calls have returned. An exception of
// `work` becomes the error and stops further calls. If the system has too few threads, uses fewer.
Result<void> for_each_number(std::size_t count, unsigned threads,
                             const std::function<void(std::size_t)>& work);

}  // namespace shunt::cli
