// The part of a Filler that starts downloads: for whom, of what, how long and how many.
#include <algorithm>

#include "shunt/cache/fill_job.h"
#include "shunt/cache/filler.h"

namespace shunt::cache {
namespace {

// A server that answers within this time leaves nothing to hide behind more connections.
constexpr double kNoLatency = 0.002;
// A connection below this rate, in bytes a second, is held back by something that a second one may
// not share.
constexpr double kSlow = 100e6;
// A request lasts at least so many times as long as the server takes to answer it, so that waiting
// for answers costs a fortieth at most.
constexpr double kLatencies = 40;
constexpr std::uint64_t kShortest = std::uint64_t{1} << 20;
// A download with less than this to go ends soon by itself, and the block that it is at is not
// lost.
constexpr std::uint64_t kWorthStopping = std::uint64_t{2} << 20;
constexpr std::uint64_t kUsual = std::uint64_t{64} << 20;
// By what patience with others is divided when it was in vain before.
constexpr int kLessPatience = 20;

BlockRun common(BlockRun a, BlockRun b) {
  const std::uint64_t begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

}  // namespace

unsigned Filler::connections_worth() const {
  const double latency = origin_->latency();
  const bool slow = rate_ > 0 && rate_ < kSlow;
  return latency >= kNoLatency || slow ? options_.connections : 1;
}

std::uint64_t Filler::longest_request() const {
  const std::uint64_t block_size = store_->block_size();
  if (capacity() != 0) {
    return std::max<std::uint64_t>(1, capacity() / 3 / std::max(1U, connections_worth()));
  }
  std::uint64_t bytes = kUsual;
  if (rate_ > 0 && origin_->latency() > 0) {
    bytes = static_cast<std::uint64_t>(rate_ * origin_->latency() * kLatencies);
  }
  // Not less than a fifth of a second takes on a fast way, or 4 MiB on a slow one.
  const auto least = static_cast<std::uint64_t>(rate_ / 5);
  bytes = std::clamp(bytes, std::clamp(least, kUsual / 16, kUsual / 4), kUsual * 16);
  // An equal share of what is wanted, so that all connections end together.
  const std::uint64_t share =
      wanted_blocks_ * block_size / std::max(1U, connections_worth()) + block_size;
  bytes = std::min(bytes, std::max(share, kShortest));
  return std::max<std::uint64_t>(1, bytes / block_size);
}

BlockRun Filler::startable(BlockRun within) const {
  BlockRun rest = within;
  while (!rest.empty()) {
    BlockRun run = store_->next_missing(rest);
    if (overflowing_ && !run.empty()) run = common(run, overflow_->next_missing(run));
    if (run.empty()) {
      if (!overflowing_ || run.begin >= rest.end) return {within.end, within.end};
    }
    std::uint64_t taken_until = run.begin;
    for (const auto& job : jobs_) {
      if (job->run.contains(run.begin)) taken_until = std::max(taken_until, job->run.end);
      if (job->run.begin > run.begin) run.end = std::min(run.end, job->run.begin);
    }
    if (taken_until == run.begin && !run.empty()) return run;
    rest.begin = std::min(rest.end, std::max(taken_until, rest.begin + 1));
  }
  return {within.end, within.end};
}

// Whoever holds the claim may have been stopped, or be slower than anybody would wait for. The same
// bytes twice are better than none.
bool Filler::waited_in_vain(std::uint64_t block) {
  const auto now = std::chrono::steady_clock::now();
  if (waiting_.empty() || waiting_.front().run.begin != block) return false;
  if (refused_at_ != block) {
    // The one before has come from others, unless it was given up.
    if (!refused_given_up_) others_stand_still_ = false;
    refused_given_up_ = false;
    refused_at_ = block;
    refused_since_ = now;
  }
  // One that was stopped has as many claims as it has connections: not all of that for each.
  const auto patience = others_stand_still_ ? options_.patience / kLessPatience : options_.patience;
  if (now - refused_since_ <= patience) return false;
  refused_given_up_ = others_stand_still_ = true;
  return true;
}

std::uint64_t Filler::missing_blocks(BlockRun within) const {
  std::uint64_t count = 0;
  while (!within.empty()) {
    const BlockRun run = store_->next_missing(within);
    count += run.count();
    within.begin = run.empty() ? within.end : run.end;
  }
  return count;
}

std::optional<Filler::Plan> Filler::plan(BlockRun within) {
  while (true) {
    BlockRun run = startable(within);
    if (run.empty()) return std::nullopt;
    const bool whole = !origin_->serves_ranges();
    if (whole) {
      // One request brings everything; a second one would bring it again.
      if (!jobs_.empty()) return std::nullopt;
      run = {0, store_->blocks()};
      if (overflowing_) return Plan{run, false};
    }
    // A request that is made anyway goes on through what is wanted behind it.
    for (const BlockRun wanted : wanted_) {
      if (!whole && !keep_one_ && wanted.contains(run.end) && run.end == within.end) {
        const BlockRun more = startable(common({run.end, wanted.end}, {run.end, most_ahead()}));
        if (more.begin == run.end) run.end = more.end;
      }
    }
    if (!whole) run.end = std::min(run.end, run.begin + longest_request());
    if (overflowing_) return Plan{run, false};

    const Claim claim = store_->claim(run);
    if (!claim.granted) {
      met_others_ = true;
      if (waited_in_vain(run.begin)) {
        run.end = std::min(run.end, run.begin + claim.count);
        return Plan{run, false};
      }
      within.begin = std::min(within.end, run.begin + claim.count);
      continue;
    }
    if (whole && claim.count < run.count()) {
      store_->release({run.begin, run.begin + claim.count});
      met_others_ = true;
      return std::nullopt;
    }
    run.end = run.begin + claim.count;
    // Whoever had it before may have filled it.
    const BlockRun missing = store_->next_missing(run);
    if (missing == run || (whole && !missing.empty())) return Plan{run, true};
    store_->release({run.begin, missing.begin});
    store_->release({missing.end, run.end});
    if (!missing.empty()) return Plan{missing, true};
  }
}

std::shared_ptr<FillJob> Filler::idle_job() const {
  // One that sends everything cannot go on elsewhere.
  if (!origin_->serves_ranges()) return nullptr;
  // The last one is what is needed last.
  const std::uint64_t block_size = store_->block_size();
  const auto idle = std::find_if(jobs_.rbegin(), jobs_.rend(), [&](const auto& job) {
    const std::uint64_t at = std::max(job->position() / block_size, job->run.begin);
    return job->download != nullptr && at < job->run.end &&
           (job->run.end - at) * block_size >= kWorthStopping &&
           std::ranges::none_of(waiting_, [&](const Waiter& waiter) {
             return waiter.urgent && job->run.contains(waiter.run.begin);
           });
  });
  return idle == jobs_.rend() ? nullptr : *idle;
}

void Filler::stop(Lock& lock, const std::shared_ptr<FillJob>& job) {
  std::erase(jobs_, job);
  job->cut = true;
  ++cutting_;
  // A call of the job may wait for the mutex.
  lock.unlock();
  job->download.reset();
  job->keep();
  if (job->claimed) store_->release(job->run);
  lock.lock();
  --cutting_;
  changed_.notify_all();
}

bool Filler::carry_out(Lock& lock, const Plan& plan, const std::shared_ptr<FillJob>& instead_of) {
  const auto job = std::make_shared<FillJob>(*this, plan.run);
  job->claimed = plan.claimed;
  jobs_.push_back(job);  // from now on nobody else starts these
  if (instead_of != nullptr) {
    stop(lock, instead_of);
    // Somebody may have had enough of all jobs meanwhile.
    if (std::ranges::find(jobs_, job) == jobs_.end()) return true;
    if (stopping_) {
      take_back(*job);
      return false;
    }
  }
  const std::uint64_t block_size = store_->block_size();
  if (plan.claimed) {
    // Other processes may have to be waited for, and readers have better things to do. The job
    // keeps its place meanwhile.
    const std::uint64_t bytes = missing_blocks(plan.run) * block_size;
    ++admitting_;
    lock.unlock();
    const Room room = store_->admit(bytes);
    lock.lock();
    --admitting_;
    changed_.notify_all();
    if (stopping_ || room != Room::kGranted) {
      take_back(*job);
      return !stopping_ && do_without_room(lock, room);
    }
    busy_since_.reset();
  }
  job->download = origin_->start(
      {plan.run.begin * block_size, std::min(plan.run.end * block_size, store_->size())}, *job);
  return true;
}

void Filler::take_back(FillJob& job) {
  if (job.claimed) store_->release(job.run);
  std::erase_if(jobs_, [&](const auto& one) { return one.get() == &job; });
}

bool Filler::do_without_room(const Lock& lock, Room room) {
  if (room == Room::kNone) {
    overflow(lock, "there is no room in its budget");
    return true;
  }
  // Whoever waits asks again.
  met_others_ = true;
  const auto now = std::chrono::steady_clock::now();
  if (!busy_since_) busy_since_ = now;
  if (now - *busy_since_ <= options_.patience) return false;
  overflow(lock, "other processes do not let its budget be looked at");
  return true;
}

void Filler::pump(Lock& lock) {
  while (start_next(lock)) {
  }
}

// Nothing that was looked at before holds after carry_out(), which lets go of the mutex.
bool Filler::start_next(Lock& lock) {
  if (stopping_ || options_.offline || origin_ == nullptr) return false;
  unsigned limit = connections_worth();
  if (keep_one_) limit = std::clamp(options_.connections - 1, 1U, limit);
  for (const Waiter& waiter : waiting_) {
    if (waiter.failed) continue;  // it has not seen it yet
    // Only what can be read at once is fetched for a reader; the rest of it is wanted.
    if (jobs_.size() < (waiter.urgent ? options_.connections : limit)) {
      if (const std::optional<Plan> next = plan(waiter.run)) return carry_out(lock, *next);
    } else if (waiter.urgent) {
      const std::shared_ptr<FillJob> idle = idle_job();
      if (idle == nullptr) continue;
      if (const std::optional<Plan> next = plan(waiter.run)) {
        keep_one_ = true;
        return carry_out(lock, *next, idle);
      }
    }
  }
  for (std::size_t i = 0; i < wanted_.size() && jobs_.size() < limit; ++i) {
    BlockRun run = wanted_[i];
    if (capacity() != 0) run = common(run, {reader_at_, most_ahead()});
    if (run.empty()) continue;
    if (const std::optional<Plan> next = plan(run)) return carry_out(lock, *next);
  }
  return false;
}

}  // namespace shunt::cache
