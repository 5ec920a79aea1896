#include "io/fd.h"

#include "io/kernel.h"

namespace shunt::io {

void Fd::reset() {
  if (number_ >= 0) kernel().close(std::exchange(number_, -1));
}

}  // namespace shunt::io
