#include "sink/clients.h"

#include <fmt/format.h>

#include "base/size_text.h"
#include "nbd/protocol.h"

namespace shunt::sink {
namespace {

Error went(std::string reason) {
  Error error;
  error.reason = std::move(reason);
  error.hint =
      "a client is done when it sends NBD_CMD_DISC, or flushes behind its last write; sync the "
      "file "
      "of nbdfuse before it is unmounted";
  return error;
}

// nullopt: it was done, or had nothing to be done with.
std::optional<Error> why_not_done(const nbd::Departure& departure, std::uint64_t unflushed) {
  if (departure.took_leave) return std::nullopt;
  if (departure.asked_for_change && departure.unanswered) {
    return went("a client went in the middle of a request, without taking leave");
  }
  if (unflushed > 0) {
    return went(
        fmt::format("a client went without taking leave, and without a flush behind the "
                    "last {} that it wrote",
                    format_size(unflushed)));
  }
  return std::nullopt;
}

}  // namespace

void Clients::come() {
  const std::lock_guard lock(mutex_);
  empty_since_.reset();
}

void Clients::served(const nbd::Served& served) {
  if (!served.error.empty()) return;
  const bool flush = served.command == "flush";
  const bool change =
      served.command == "write" || served.command == "zero" || served.command == "trim";
  if (!flush && !change) return;
  const std::lock_guard lock(mutex_);
  if (change && (served.flags & nbd::kFlagFua) == 0) {
    unflushed_[served.connection] += served.range.size();
    return;
  }
  flushed_.insert(served.connection);
  if (change) return;
  if (flush_is_for_ == FlushIsFor::kAll) {
    unflushed_.clear();
  } else {
    unflushed_.erase(served.connection);
  }
}

void Clients::gone(const nbd::Departure& departure, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (departure.left == 0) empty_since_ = now;
  const std::uint64_t unflushed = take_unflushed(departure.connection);
  const bool flushed = flushed_.erase(departure.connection) > 0;
  if (std::optional<Error> problem = why_not_done(departure, unflushed)) {
    if (!not_done_) not_done_ = std::move(problem);
  } else if (departure.took_leave || (flushed && !departure.unanswered)) {
    somebody_done_ = true;
  }
}

// What a flush is missing behind: of what all have changed, where it is for all.
std::uint64_t Clients::take_unflushed(std::uint64_t connection) {
  std::uint64_t bytes = 0;
  const auto own = unflushed_.find(connection);
  if (own == unflushed_.end()) return 0;
  if (flush_is_for_ == FlushIsFor::kAll) {
    for (const auto& [other, changed] : unflushed_) bytes += changed;
  } else {
    bytes = own->second;
  }
  unflushed_.erase(own);
  return bytes;
}

bool Clients::deserted(Clock::duration quiet, Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  return empty_since_ && now - *empty_since_ >= quiet;
}

Result<void> Clients::all_done() const {
  const std::lock_guard lock(mutex_);
  if (not_done_) return *not_done_;
  if (!somebody_done_) return went("the last client went without taking leave, and wrote nothing");
  return {};
}

}  // namespace shunt::sink
