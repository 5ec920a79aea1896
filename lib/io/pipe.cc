#include "shunt/io/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace shunt::io {

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error(errno, "", "make a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace shunt::io
