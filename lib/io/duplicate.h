// A descriptor of one's own for what is open already, standard input and output above all.
#pragma once

#include <string>

#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::io {

// What `descriptor` stands for, which stays open. The new one is never one of the three standard
// ones, and is closed in programs that are started. `name` and `operation` are for messages. Fails
// when there is no descriptor left: one that is not there would never be ready, and be waited for.
Result<File> duplicate(int descriptor, std::string name, const char* operation,
                       Counters* counters = nullptr);

}  // namespace shunt::io
