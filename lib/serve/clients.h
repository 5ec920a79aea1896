// Judges whether the clients of a disk were done with it.
//
// NBD_CMD_DISC says that a client is done. Some clients never send it: with nbd_close(3) of libnbd,
// as used by nbdfuse, a connection ends as if the client had been killed. Such a client counts as
// done if it had no request in flight and if all of its changes were followed by a flush or made
// with FUA: programs that care sync at their end, and nbdfuse passes that on. A client killed at
// work has usually written something since. A client that is still connected when the stream ends
// is judged in the same way.
//
// A client counts if it wrote, zeroed, trimmed or flushed. One that only read neither makes the run
// fail nor ends it.
//
// A refused write means that the disk is not what the client meant, whatever it did afterwards.
// Refused zeroes and trims are harmless: clients try them and write instead.
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

// Thread-safe: the server's thread reports, and the thread that waits for the end of the stream
// asks. Requests and departures are reported in the order in which the server reports them.
class Clients {
 public:
  using Clock = std::chrono::steady_clock;

  // What a flush on one connection covers: the changes of that connection, or of all
  // (NBD_FLAG_CAN_MULTI_CONN: clients may flush on another connection than they wrote on).
  enum class FlushIsFor { kOne, kAll };
  explicit Clients(FlushIsFor flush_is_for) : flush_is_for_(flush_is_for) {}

  void come(const nbd::Arrival& arrival);
  void served(const nbd::Served& served);
  void gone(const nbd::Departure& departure, Clock::time_point now = Clock::now());
  // The server is about to stop: departures from now on are not the client's choice.
  void dismiss();

  [[nodiscard]] std::size_t present() const;
  // Returns true if nobody has been connected for `quiet`.
  [[nodiscard]] bool quiet(Clock::duration quiet, Clock::time_point now = Clock::now()) const;
  // Returns true if a client that counts has gone and nobody has been connected for `quiet`.
  [[nodiscard]] bool deserted(Clock::duration quiet, Clock::time_point now = Clock::now()) const;

  // Returns true if somebody wrote, zeroed or trimmed.
  [[nodiscard]] bool changed() const;
  // Returns an error for the first client that went without being done.
  [[nodiscard]] Result<void> all_done() const;
  // Returns an error for the first write that was refused.
  [[nodiscard]] Result<void> all_granted() const;

 private:
  // What one connection has done, in bytes. `changed` includes earlier connections of the same
  // program.
  struct Work {
    std::uint64_t changed = 0;
    std::uint64_t unflushed = 0;
    pid_t process = 0;  // 0: unknown
    bool counts = false;
    bool too_late = false;  // a change was refused because the server was stopping
  };
  [[nodiscard]] bool of_one_program(const Work& one, const Work& other) const;
  [[nodiscard]] Work work_of_program(const Work& own) const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] std::optional<Error> why_not_done(const nbd::Departure& departure,
                                                  const Work& work) const SHUNT_REQUIRES(mutex_);

  const FlushIsFor flush_is_for_;

  mutable Mutex mutex_;
  std::size_t present_ SHUNT_GUARDED_BY(mutex_) = 0;
  Clock::time_point empty_since_ SHUNT_GUARDED_BY(mutex_){};
  bool one_counted_ SHUNT_GUARDED_BY(mutex_) = false;            // among those that have gone
  std::map<std::uint64_t, Work> work_ SHUNT_GUARDED_BY(mutex_);  // by connection
  std::optional<Error> not_done_ SHUNT_GUARDED_BY(mutex_);
  std::optional<Error> refused_ SHUNT_GUARDED_BY(mutex_);
  bool dismissed_ SHUNT_GUARDED_BY(mutex_) = false;
  bool changed_ SHUNT_GUARDED_BY(mutex_) = false;
};

}  // namespace shunt::serve
