// Duplicates an open descriptor, mainly standard input and output.
#pragma once

#include <string>

#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::io {

// Returns a duplicate of `descriptor`, which stays open. It is never 0, 1 or 2, and is closed on
// exec. `name` and `operation` are for messages. Fails if no descriptor is left, or if `descriptor`
// is not open: waiting for that would never end.
Result<File> duplicate(int descriptor, std::string name, const char* operation,
                       Counters* counters = nullptr);

}  // namespace shunt::io
