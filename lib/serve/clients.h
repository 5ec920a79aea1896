// Who has used a disk, and whether they were done with it.
//
// NBD_CMD_DISC says that a client is done. Some never send it: what ends with nbd_close(3) of
// libnbd, as nbdfuse does, goes as one that is killed goes. Such a client is taken to be done when
// no request of it was under way and a flush, or FUA, was behind all that it had changed: programs
// that care sync at their end, and nbdfuse hands that on. One that is killed at its work has mostly
// written something since. One that is still there when the stream ends is judged in the same way.
//
// A client counts when it wrote, zeroed, trimmed or flushed. One that only looked is no reason to
// fail, and no sign that anybody is done.
//
// A write that was refused left the disk without what the client meant, whatever it did then.
// Zeroes and trims may be refused: clients try whether they can be had, and write instead.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/nbd/server.h"

namespace shunt::serve {

// All functions may be called from any thread: the server's tells, whoever waits for the end of the
// stream asks. Requests and departures are told of in the order in which the server tells of them.
class Clients {
 public:
  using Clock = std::chrono::steady_clock;

  // What a flush on one connection is behind: what that one has changed, or what all have
  // (NBD_FLAG_CAN_MULTI_CONN), whose clients may flush on another than they wrote on.
  enum class FlushIsFor { kOne, kAll };
  explicit Clients(FlushIsFor flush_is_for) : flush_is_for_(flush_is_for) {}

  void come(const nbd::Arrival& arrival);
  void served(const nbd::Served& served);
  void gone(const nbd::Departure& departure, Clock::time_point now = Clock::now());
  // The server is about to stop: who goes from now on did not want to.
  void dismiss();

  [[nodiscard]] std::size_t present() const;
  // For `quiet` nobody has been there.
  [[nodiscard]] bool quiet(Clock::duration quiet, Clock::time_point now = Clock::now()) const;
  // One that counts has gone, and for `quiet` nobody has been there.
  [[nodiscard]] bool deserted(Clock::duration quiet, Clock::time_point now = Clock::now()) const;

  // Somebody wrote, zeroed or trimmed.
  [[nodiscard]] bool changed() const;
  // Of those that have gone: the disk is as they wanted it. The first that was not done is the
  // error.
  [[nodiscard]] Result<void> all_done() const;
  // Each write was granted. The first that was not is the error.
  [[nodiscard]] Result<void> all_granted() const;

 private:
  // What one connection has done, in bytes; `changed` also by those of its program that have gone.
  struct Work {
    std::uint64_t changed = 0;
    std::uint64_t unflushed = 0;
    pid_t process = 0;  // 0: not known
    bool counts = false;
    bool too_late = false;  // a change was refused, as the server was stopping
  };
  [[nodiscard]] bool of_one_program(const Work& one, const Work& other) const;
  [[nodiscard]] Work work_of_program(const Work& own) const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] std::optional<Error> why_not_done(const nbd::Departure& departure,
                                                  const Work& work) const SHUNT_REQUIRES(mutex_);

  const FlushIsFor flush_is_for_;

  mutable Mutex mutex_;
  std::size_t present_ SHUNT_GUARDED_BY(mutex_) = 0;
  Clock::time_point empty_since_ SHUNT_GUARDED_BY(mutex_){};
  bool one_counted_ SHUNT_GUARDED_BY(mutex_) = false;            // of those that have gone
  std::map<std::uint64_t, Work> work_ SHUNT_GUARDED_BY(mutex_);  // by connection
  std::optional<Error> not_done_ SHUNT_GUARDED_BY(mutex_);
  std::optional<Error> refused_ SHUNT_GUARDED_BY(mutex_);
  bool dismissed_ SHUNT_GUARDED_BY(mutex_) = false;
  bool changed_ SHUNT_GUARDED_BY(mutex_) = false;
};

}  // namespace shunt::serve
