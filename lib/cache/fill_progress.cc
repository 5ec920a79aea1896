// The part of a Filler that its downloads report to, on the client's thread.
#include <algorithm>
#include <utility>

#include "shunt/base/log.h"
#include "shunt/cache/fill_job.h"
#include "shunt/cache/filler.h"

namespace shunt::cache {
namespace {

// Ends `job`, which is no failure of what it fetches. Under the Filler's mutex.
Error cut(FillJob& job, std::string_view why) {
  job.cut = true;
  Error error;
  error.code = ErrorCode::kInterrupted;
  error.reason = why;
  return error;
}

}  // namespace

bool Filler::awaited(BlockRun run) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(waiting_, [&](const Waiter& waiter) {
    return waiter.urgent && run.contains(waiter.run.begin);
  });
}

void Filler::overflow(const Lock& /*lock*/, const std::string& why) {
  if (overflowing_) return;
  log::warn("the cache takes no more: {}; going on without it", why);
  overflow_ = std::make_unique<MemoryStore>(store_->size(), store_->block_size());
  overflowing_ = true;
}

void Filler::put(std::uint64_t first, std::span<const std::byte> bytes) {
  bytes_fetched_ += bytes.size();  // first: who finds the blocks may ask at once what they cost
  if (!overflowing_) {
    const Result<void> put = store_->put(first, bytes);
    if (!put) {
      const Lock lock(mutex_);
      overflow(lock, put.error().describe());
    }
  }
  if (overflowing_) (void)overflow_->put(first, bytes);
  // With the mutex, so that nobody who has just looked and not found it goes to sleep after this.
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

Result<void> Filler::go_on(FillJob& job) {
  Lock lock(mutex_);
  rate_ = job.rate() > 0 ? job.rate() : rate_;
  if (capacity() == 0) return {};
  const std::uint64_t at = job.position() / store_->block_size();
  constexpr std::string_view kEnough = "as much as there is room for";
  if (origin_->serves_ranges()) {
    // A request from before the overflow is longer than the memory: it is made again in parts.
    if (at <= most_ahead() || job.run.count() <= capacity() / 3) return {};
    return cut(job, kEnough);
  }
  // This stream cannot be cut. It waits for its readers, which holds up the client; there is no
  // other way to have it with little memory.
  while (!stopping_ && !job.cut && at > most_ahead()) {
    if (options_.cancel != nullptr) SHUNT_TRY(options_.cancel->check());
    const bool behind = std::ranges::any_of(waiting_, [&](const Waiter& waiter) {
      return waiter.run.begin < at && !has(waiter.run.begin);
    });
    if (behind) return cut(job, kEnough);
    changed_.wait_for(lock, kAskCancel);
  }
  return {};
}

Result<void> Filler::sends_everything(FillJob& job) {
  std::list<std::shared_ptr<FillJob>> others;
  const BlockRun admitted = job.run;
  {
    Lock lock(mutex_);
    changed_.wait(lock, [this] { return admitting_ == 0; });
    if (stopping_ || job.cut) return {};  // about to end
    for (auto at = jobs_.begin(); at != jobs_.end();) {
      const auto next = std::next(at);
      if (at->get() != &job) others.splice(others.end(), jobs_, at);
      at = next;
    }
    if (job.claimed) store_->release(job.run);
    job.claimed = false;
    job.run = {0, store_->blocks()};
  }
  for (const auto& other : others) {
    other->download.reset();
    if (other->claimed) store_->release(other->run);
  }
  if (overflowing_) return {};
  const Claim claim = store_->claim({0, store_->blocks()});
  if (!claim.granted || claim.count < store_->blocks()) {
    // Another process is at it, and gets everything too. It need not come twice.
    if (claim.granted) store_->release({0, claim.count});
    const std::lock_guard lock(mutex_);
    return cut(job, "another process fetches it");
  }
  // What the first run lacks, and what has come of it meanwhile, was admitted with it.
  const std::uint64_t wanting =
      missing_blocks({0, admitted.begin}) + missing_blocks({admitted.end, store_->blocks()});
  const Room room = store_->admit(wanting * store_->block_size());
  const Lock lock(mutex_);
  job.claimed = true;
  if (room == Room::kGranted) busy_since_.reset();
  if (room == Room::kGranted || do_without_room(lock, room)) return {};
  // It is asked for again, and the room as well.
  return cut(job, "other processes do not let the budget be looked at");
}

void Filler::fail(const Lock& /*lock*/, BlockRun rest, const Error& error) {
  for (Waiter& waiter : waiting_) {
    if (!waiter.failed && waiter.needs(rest)) waiter.failed = error;
  }
  // What is wanted behind it would fail in the same way, one request after the other.
  for (BlockRun& run : wanted_) {
    if (run.meets(rest)) run.end = std::max(run.begin, rest.begin);
  }
  std::erase_if(wanted_, [](BlockRun run) { return run.empty(); });
}

void Filler::finished(FillJob& job, Result<void> outcome) {
  std::shared_ptr<FillJob> self;
  {
    Lock lock(mutex_);
    const auto at = std::ranges::find_if(jobs_, [&](const auto& one) { return one.get() == &job; });
    if (at == jobs_.end()) return;  // the Filler is going away, or gave this one up
    self = std::move(*at);
    jobs_.erase(at);
    if (self->claimed) store_->release(self->run);
    if (job.rate() > 0) rate_ = job.rate();
    if (!outcome && !job.cut) {
      const bool changed = origin_->has_changed();
      fail(lock, changed ? BlockRun{0, store_->blocks()} : job.rest(), outcome.error());
      // Another version than the blocks are of: nobody may mix the two.
      if (changed) store_->discard();
    }
    pump(lock);
    changed_.notify_all();
  }
  self->download.reset();  // here and now: a reader may keep the job a little longer
}

}  // namespace shunt::cache
