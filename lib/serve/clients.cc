#include "shunt/serve/clients.h"

#include <fmt/format.h>

#include <utility>

#include "shunt/nbd/protocol.h"
#include "shunt/text/size_text.h"

namespace shunt::serve {
namespace {

constexpr const char* kDoneWhen =
    "a client is done when it sends NBD_CMD_DISC, or flushes after its last write; sync the file "
    "of nbdfuse before it is unmounted";

Error not_done(std::string reason) {
  Error error;
  error.reason = std::move(reason);
  error.hint = kDoneWhen;
  return error;
}

Error was_refused(const nbd::Served& write) {
  Error error;
  error.reason = fmt::format("a client's write of {} at byte {} was refused ({})",
                             format_size(write.range.size()), write.range.begin, write.error);
  if (write.error == "ENOSPC") error.hint = "the disk is only as large as --size says";
  return error;
}

}  // namespace

void Clients::come(const nbd::Arrival& arrival) {
  const Lock lock(mutex_);
  ++present_;
  work_[arrival.connection].process = arrival.process;
}

void Clients::served(const nbd::Served& served) {
  const bool flush = served.command == "flush";
  const bool change =
      served.command == "write" || served.command == "zero" || served.command == "trim";
  if (!flush && !change) return;
  const Lock lock(mutex_);
  Work& work = work_[served.connection];
  if (!served.error.empty()) {
    const bool too_late = change && served.error == "ESHUTDOWN";
    work.too_late = work.too_late || too_late;
    if (served.command == "write" && !too_late && !refused_) refused_ = was_refused(served);
    return;
  }
  work.counts = true;
  if (change) {
    changed_ = true;
    work.changed += served.range.size();
    if ((served.flags & nbd::kFlagFua) == 0) work.unflushed += served.range.size();
  } else if (flush_is_for_ == FlushIsFor::kAll) {
    for (auto& [connection, other] : work_) other.unflushed = 0;
  } else {
    work.unflushed = 0;
  }
}

void Clients::gone(const nbd::Departure& departure, Clock::time_point now) {
  const Lock lock(mutex_);
  if (present_ > 0) --present_;
  if (present_ == 0) empty_since_ = now;
  const auto own = work_.find(departure.connection);
  const Work work = own == work_.end() ? Work{} : own->second;
  one_counted_ = one_counted_ || work.counts || departure.asked_for_change;
  std::optional<Error> problem = why_not_done(departure, work);
  if (problem && !not_done_) not_done_ = std::move(problem);
  if (own == work_.end()) return;
  work_.erase(own);
  // Later messages about a program must count all that it wrote.
  for (auto& [connection, other] : work_) {
    if (!of_one_program(work, other)) continue;
    other.changed += work.changed;
    break;
  }
}

void Clients::dismiss() {
  const Lock lock(mutex_);
  dismissed_ = true;
}

// Returns nullopt if it was done, or had nothing to finish.
std::optional<Error> Clients::why_not_done(const nbd::Departure& departure,
                                           const Work& work) const {
  const Work program = work_of_program(work);
  const std::string all = fmt::format("; it had written {}", format_size(program.changed));
  if (work.too_late) return not_done("a client still wrote when the stream had ended" + all);
  if (departure.took_leave) return std::nullopt;
  if (departure.asked_for_change && departure.unanswered) {
    return not_done((dismissed_ ? "a client was still connected, in the middle of a request"
                                : "a client disconnected in the middle of a request") +
                    all);
  }
  if (work.unflushed == 0) return std::nullopt;
  return not_done(
      fmt::format("a client {}, without flushing {} of the {} that it had written",
                  dismissed_ ? "was still connected" : "disconnected without NBD_CMD_DISC",
                  format_size(program.unflushed), format_size(program.changed)));
}

// A program that is offered a flush for all connections may use several.
bool Clients::of_one_program(const Work& one, const Work& other) const {
  return flush_is_for_ == FlushIsFor::kAll && one.process != 0 && one.process == other.process;
}

// Returns what the program of connection `own` has done, since people know programs. If the program
// is unknown, returns `own`.
Clients::Work Clients::work_of_program(const Work& own) const {
  Work sum = own;
  if (!of_one_program(own, own)) return sum;
  sum.changed = sum.unflushed = 0;
  for (const auto& [connection, work] : work_) {
    if (!of_one_program(own, work)) continue;
    sum.changed += work.changed;
    sum.unflushed += work.unflushed;
  }
  return sum;
}

std::size_t Clients::present() const {
  const Lock lock(mutex_);
  return present_;
}

bool Clients::quiet(Clock::duration quiet, Clock::time_point now) const {
  const Lock lock(mutex_);
  return present_ == 0 && now - empty_since_ >= quiet;
}

bool Clients::deserted(Clock::duration quiet, Clock::time_point now) const {
  const Lock lock(mutex_);
  return one_counted_ && present_ == 0 && now - empty_since_ >= quiet;
}

bool Clients::changed() const {
  const Lock lock(mutex_);
  return changed_;
}

Result<void> Clients::all_granted() const {
  const Lock lock(mutex_);
  if (refused_) return *refused_;
  return {};
}

Result<void> Clients::all_done() const {
  const Lock lock(mutex_);
  if (not_done_) return *not_done_;
  return {};
}

}  // namespace shunt::serve
