#include "shunt/io/duplicate.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace shunt::io {

Result<File> duplicate(int descriptor, std::string name, const char* operation,
                       Counters* counters) {
  Fd copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!copy.valid()) return system_error(errno, name, operation);
  return File::adopt(std::move(copy), std::move(name), counters);
}

}  // namespace shunt::io
