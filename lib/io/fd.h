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
  // Closes, without word of a failure: for descriptors that were only read, or on an error's way
  // out. What was written is closed through File::close.
  void reset();

 private:
  int number_ = -1;
};

// Waits for one of `events` (poll(2)), or for an end or an error, which the next call shows. Gives
// up, with kInterrupted, once `cancel` has been asked to stop; it may be null.
Result<void> wait_until_ready(int fd, short events, const CancelToken* cancel);

// Gives a pipe 1 MiB of room, the most that anybody may ask for by default: with the 64 KiB that it
// is made with, its two sides wake one another more often. What is no pipe stays as it is.
void enlarge_pipe(int fd);

}  // namespace shunt::io
