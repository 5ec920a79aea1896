// Who has used a disk, and whether they were done with it when they went.
//
// NBD_CMD_DISC says that a client is done. Some never send it: what ends with nbd_close(3) of
// libnbd, as nbdfuse does, goes as one that is killed goes. Such a client is taken to be done when
// no request of it was under way and a flush, or FUA, was behind all that it had changed: programs
// that care sync at their end, and nbdfuse hands that on. One that is killed at its work has mostly
// written something since.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "base/result.h"
#include "nbd/server.h"

namespace shunt::sink {

// All functions may be called from any thread. Requests and departures are told of in the order in
// which the server tells of them.
class Clients {
 public:
  using Clock = std::chrono::steady_clock;

  // What a flush on one connection is behind: what that one has changed, or what all have
  // (NBD_FLAG_CAN_MULTI_CONN), whose clients may flush on another than they wrote on.
  enum class FlushIsFor { kOne, kAll };
  explicit Clients(FlushIsFor flush_is_for) : flush_is_for_(flush_is_for) {}

  void come();
  void served(const nbd::Served& served);
  void gone(const nbd::Departure& departure, Clock::time_point now = Clock::now());

  // Clients have been there, and for `quiet` nobody has.
  [[nodiscard]] bool deserted(Clock::duration quiet, Clock::time_point now = Clock::now()) const;
  // Of those that have gone: whether the disk is as they wanted it. The first that was not done is
  // the error; so it is when nobody was: clients that only looked on are no reason to fail, and no
  // sign that the disk was written.
  [[nodiscard]] Result<void> all_done() const;

 private:
  std::uint64_t take_unflushed(std::uint64_t connection);

  const FlushIsFor flush_is_for_;

  mutable std::mutex mutex_;
  std::optional<Clock::time_point> empty_since_;
  std::map<std::uint64_t, std::uint64_t> unflushed_;  // bytes that a connection has changed
  std::set<std::uint64_t> flushed_;  // connections with a change or a flush that is
  std::optional<Error> not_done_;
  bool somebody_done_ = false;
};

}  // namespace shunt::sink
