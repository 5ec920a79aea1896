// A pipe of our own.
#pragma once

#include "shunt/base/result.h"
#include "shunt/io/fd.h"

namespace shunt::io {

struct Pipe {
  Fd reader;
  Fd writer;
};

// Programs that are started from here do not get its ends unless they are handed over.
[[nodiscard]] Result<Pipe> make_pipe();

}  // namespace shunt::io
