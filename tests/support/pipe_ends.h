// A pipe that only the test reads.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>

#include "shunt/io/file.h"

namespace shunt::test {

struct PipeEnds {
  io::Fd reader;
  io::File writer;

  PipeEnds() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    reader = io::Fd(ends[0]);
    writer = io::File::adopt(io::Fd(ends[1]), "(pipe)");
  }
};

}  // namespace shunt::test
