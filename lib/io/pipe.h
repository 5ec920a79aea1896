// An anonymous pipe.
#pragma once

#include "shunt/base/result.h"
#include "shunt/io/fd.h"

namespace shunt::io {

struct Pipe {
  Fd reader;
  Fd writer;
};

// Both ends are closed on exec.
[[nodiscard]] Result<Pipe> make_pipe();

}  // namespace shunt::io
