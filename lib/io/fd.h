// A file descriptor with one owner.
#pragma once

#include <utility>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"

namespace shunt::io {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  // Closes and ignores errors: for descriptors that were only read, and on error paths. Written
  // files are closed by File::close.
  void reset();

 private:
  int number_ = -1;
};

// Waits for one of `events` (poll(2)), or for an end or error, which the next call will show.
// Returns kInterrupted once `cancel` (may be null) is requested.
Result<void> wait_until_ready(int fd, short events, const CancelToken* cancel);

// Enlarges a pipe to 1 MiB, the default maximum: with the initial 64 KiB its two sides wake one
// another more often. Does nothing if `fd` is not a pipe.
void enlarge_pipe(int fd);

}  // namespace shunt::io
