#include "shunt/io/fd.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>

#include "shunt/io/kernel.h"

namespace shunt::io {

void Fd::reset() {
  if (number_ >= 0) kernel().close(std::exchange(number_, -1));
}

Result<void> wait_until_ready(int fd, short events, const CancelToken* cancel) {
  constexpr int kAskCancel = 100;  // ms: the signal may have gone to another thread
  for (;;) {
    SHUNT_TRY(check_cancel(cancel));
    pollfd ready{fd, events, 0};
    const int count = ::poll(&ready, 1, cancel != nullptr ? kAskCancel : -1);
    if (count > 0 || (count < 0 && errno != EINTR)) return {};
  }
}

void enlarge_pipe(int fd) {
  (void)::fcntl(fd, F_SETPIPE_SZ, 1 << 20);
}

}  // namespace shunt::io
