#include "cache/filler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "cache/fill_job.h"

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
constexpr std::uint64_t kUsual = std::uint64_t{64} << 20;

constexpr auto kLookAgain =
    std::chrono::milliseconds(3);                     // for blocks that another process fetches
constexpr auto kPatience = std::chrono::seconds(20);  // without one block from them
constexpr auto kAskCancel = std::chrono::milliseconds(100);

BlockRun common(BlockRun a, BlockRun b) {
  const std::uint64_t begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

}  // namespace

Filler::Filler(std::shared_ptr<BlockStore> store, std::shared_ptr<remote::Origin> origin,
               const FillerOptions& options)
    : store_(std::move(store)), origin_(std::move(origin)), options_(options) {}

Filler::~Filler() {
  std::list<std::unique_ptr<FillJob>> jobs;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs.swap(jobs_);
  }
  changed_.notify_all();
  // Without the mutex: a job that is just ending waits for it.
  for (const auto& job : jobs) job->download.reset();
  for (const auto& job : jobs) {
    if (job->claimed) store_->release(job->run);
  }
}

bool Filler::has(std::uint64_t block) const {
  return store_->has(block) || (overflowing_ && overflow_->has(block));
}

bool Filler::look(std::uint64_t block) {
  return has(block) || store_->check(block);
}

std::uint64_t Filler::capacity() const {
  return overflowing_ ? overflow_->capacity() : store_->capacity();
}

// A block grows old from when it is put until it is read, and those that were read keep their place
// meanwhile: what lies ahead needs room twice, and some for what is put together.
std::uint64_t Filler::most_ahead() const {
  const std::uint64_t blocks = capacity();
  return blocks == 0 ? UINT64_MAX : reader_at_ + std::max<std::uint64_t>(1, blocks / 3);
}

Result<bool> Filler::read(std::uint64_t offset, std::span<std::byte> into) {
  if (!overflowing_) return store_->read(offset, into);
  // Block by block: some are here, some there.
  while (!into.empty()) {
    const std::uint64_t block_size = store_->block_size();
    const auto part = into.first(static_cast<std::size_t>(
        std::min<std::uint64_t>(into.size(), block_size - offset % block_size)));
    SHUNT_ASSIGN(bool done, overflow_->read(offset, part));
    if (!done && store_->has(offset / block_size)) {
      SHUNT_ASSIGN(done, store_->read(offset, part));
    }
    if (!done) return false;
    into = into.subspan(part.size());
    offset += part.size();
  }
  return true;
}

// ---- readers ------------------------------------------------------------------------------------

Result<void> Filler::wait(Lock& lock, std::uint64_t errors_before) {
  if (options_.cancel != nullptr) SHUNT_TRY(options_.cancel->check());
  if (errors_ != errors_before && error_) return *error_;
  met_others_ = false;
  pump(lock);
  // pump() may have failed to start something.
  if (errors_ != errors_before && error_) return *error_;
  changed_.wait_for(lock, met_others_ ? kLookAgain : kAskCancel);
  return {};
}

Result<void> Filler::need(BlockRun run) {
  Lock lock(mutex_);
  reader_at_ = run.begin;
  const auto me = waiting_.insert(waiting_.end(), Waiter{run, true});
  const std::uint64_t errors_before = errors_;
  if (capacity() != 0) {
    // Its memory moves along with the reader.
    changed_.notify_all();
    pump(lock);
  }
  Result<void> outcome;
  while (outcome) {
    std::uint64_t at = me->run.begin;
    lock.unlock();  // a check may read the disk
    while (at < run.end && look(at)) ++at;
    lock.lock();
    me->run.begin = at;
    if (at == run.end) break;
    if (has(at)) continue;  // came in between
    if (options_.offline || origin_ == nullptr) {
      Error error;
      error.code = ErrorCode::kNetwork;
      error.reason = "not in the cache, and this is offline";
      error.offset = at * store_->block_size();
      outcome = error;
      break;
    }
    outcome = wait(lock, errors_before);
  }
  waiting_.erase(me);
  return outcome;
}

Result<Filler::Found> Filler::need_any(std::span<const BlockRun> runs) {
  Lock lock(mutex_);
  const std::uint64_t errors_before = errors_;
  while (true) {
    lock.unlock();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i].empty()) continue;
      // The start is where a download, here or elsewhere, goes on; what lies behind it is of use
      // when this process knows of it already.
      (void)look(runs[i].begin);
      BlockRun known = store_->next_known(runs[i]);
      if (overflowing_ && known.empty()) known = overflow_->next_known(runs[i]);
      if (!known.empty()) return Found{i, known};
    }
    lock.lock();
    if (options_.offline || origin_ == nullptr) {
      Error error;
      error.code = ErrorCode::kNetwork;
      error.reason = "not in the cache, and this is offline";
      return error;
    }
    const auto first = std::ranges::find_if(runs, [](BlockRun run) { return !run.empty(); });
    if (first == runs.end()) {
      Error error;
      error.reason = "nothing to wait for";
      return error;
    }
    reader_at_ = first->begin;
    if (capacity() != 0) changed_.notify_all();  // its memory moves along with the reader
    const auto me = waiting_.insert(waiting_.end(), Waiter{*first, false});
    Result<void> turn = wait(lock, errors_before);
    waiting_.erase(me);
    if (!turn) return std::move(turn).error();
  }
}

void Filler::want(std::vector<BlockRun> runs) {
  if (options_.offline || origin_ == nullptr) return;
  Lock lock(mutex_);
  wanted_.assign(runs.begin(), runs.end());
  wanted_blocks_ = 0;
  for (const BlockRun run : runs) wanted_blocks_ += run.count();
  pump(lock);
}

void Filler::take_head(std::span<const std::byte> bytes) {
  const std::uint64_t block_size = store_->block_size();
  const std::uint64_t usable =
      bytes.size() == store_->size() ? bytes.size() : bytes.size() - bytes.size() % block_size;
  if (usable == 0) return;
  const BlockRun run{0, (usable + block_size - 1) / block_size};
  // Somebody else may be at it, or have it.
  if (store_->next_missing(run) != run) return;
  const Claim claim = store_->claim(run);
  if (!claim.granted || claim.count < run.count() || store_->next_missing(run) != run) {
    if (claim.granted) store_->release({0, claim.count});
    return;
  }
  if (!store_->admit(usable)) {
    const Lock lock(mutex_);
    overflow(lock, "there is no room in its budget");
  }
  put(0, bytes.first(static_cast<std::size_t>(usable)));
  store_->release(run);
}

// ---- starting downloads -------------------------------------------------------------------------

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
    refused_at_ = block;
    refused_since_ = now;
  }
  return now - refused_since_ > kPatience;
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

bool Filler::start_one(Lock& lock, BlockRun within, unsigned limit) {
  while (jobs_.size() < limit) {
    BlockRun run = startable(within);
    if (run.empty()) return false;
    const bool whole = !origin_->serves_ranges();
    if (whole) {
      // One request brings everything; a second one would bring it again.
      if (!jobs_.empty()) return false;
      run = {0, store_->blocks()};
      if (overflowing_) return start_job(run, false);
    }
    // A request that is made anyway goes on through what is wanted behind it.
    for (const BlockRun wanted : wanted_) {
      if (!whole && wanted.contains(run.end) && run.end == within.end) {
        const BlockRun more = startable(common({run.end, wanted.end}, {run.end, most_ahead()}));
        if (more.begin == run.end) run.end = more.end;
      }
    }
    if (!whole) run.end = std::min(run.end, run.begin + longest_request());
    if (overflowing_) return start_job(run, false);

    const Claim claim = store_->claim(run);
    if (!claim.granted) {
      met_others_ = true;
      if (waited_in_vain(run.begin)) {
        run.end = std::min(run.end, run.begin + claim.count);
        return start_job(run, false);
      }
      within.begin = std::min(within.end, run.begin + claim.count);
      continue;
    }
    if (whole && claim.count < run.count()) {
      store_->release({run.begin, run.begin + claim.count});
      met_others_ = true;
      return false;
    }
    run.end = run.begin + claim.count;
    // Whoever had it before may have filled it.
    const BlockRun missing = store_->next_missing(run);
    if (missing != run && !whole) {
      store_->release({run.begin, missing.begin});
      store_->release({missing.end, run.end});
      run = missing;
      if (run.empty()) continue;
    }
    if (!store_->admit(missing_blocks(run) * store_->block_size())) {
      store_->release(run);
      overflow(lock, "there is no room in its budget");
      continue;
    }
    return start_job(run, true);
  }
  return false;
}

bool Filler::start_job(BlockRun run, bool claimed) {
  auto job = std::make_unique<FillJob>(*this, run);
  job->claimed = claimed;
  FillJob& started = *job;
  jobs_.push_back(std::move(job));
  const std::uint64_t block_size = store_->block_size();
  started.download = origin_->start(
      {run.begin * block_size, std::min(run.end * block_size, store_->size())}, started);
  return true;
}

void Filler::pump(Lock& lock) {
  if (stopping_ || options_.offline || origin_ == nullptr) return;
  for (const Waiter& waiter : waiting_) {
    // Only what can be read at once is fetched for a reader; the rest of it is wanted.
    while (
        start_one(lock, waiter.run, waiter.urgent ? options_.connections : connections_worth())) {
    }
  }
  const unsigned limit = connections_worth();
  for (std::size_t i = 0; i < wanted_.size() && jobs_.size() < limit; ++i) {
    BlockRun run = wanted_[i];
    if (capacity() != 0) run = common(run, {reader_at_, most_ahead()});
    while (!run.empty() && start_one(lock, run, limit)) {
    }
  }
}

// ---- jobs ---------------------------------------------------------------------------------------

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
  if (!overflowing_) {
    const Result<void> put = store_->put(first, bytes);
    if (!put) {
      const Lock lock(mutex_);
      overflow(lock, put.error().describe());
    }
  }
  if (overflowing_) (void)overflow_->put(first, bytes);
  bytes_fetched_ += bytes.size();
  // With the mutex, so that nobody who has just looked and not found it goes to sleep after this.
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

Result<void> Filler::go_on(FillJob& job) {
  Lock lock(mutex_);
  rate_ = job.rate() > 0 ? job.rate() : rate_;
  if (capacity() == 0) return {};
  const std::uint64_t at = job.position() / store_->block_size();
  Error enough;
  enough.code = ErrorCode::kInterrupted;
  enough.reason = "as much as there is room for";
  if (origin_->serves_ranges()) {
    // A request from before the overflow is longer than the memory: it is made again in parts.
    if (at <= most_ahead() || job.run.count() <= capacity() / 3) return {};
    job.cut = true;
    return enough;
  }
  // This stream cannot be cut. It waits for its readers, which holds up the client; there is no
  // other way to have it with little memory.
  while (!stopping_ && at > most_ahead()) {
    if (options_.cancel != nullptr) SHUNT_TRY(options_.cancel->check());
    const bool behind = std::ranges::any_of(waiting_, [&](const Waiter& waiter) {
      return waiter.run.begin < at && !has(waiter.run.begin);
    });
    if (behind) {
      job.cut = true;
      return enough;
    }
    changed_.wait_for(lock, kAskCancel);
  }
  return {};
}

Result<void> Filler::sends_everything(FillJob& job) {
  std::list<std::unique_ptr<FillJob>> others;
  const std::uint64_t admitted = job.run.count();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return {};
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
    job.cut = true;
    Error enough;
    enough.code = ErrorCode::kInterrupted;
    enough.reason = "another process fetches it";
    return enough;
  }
  const std::uint64_t wanting = missing_blocks({0, store_->blocks()});
  const bool room = store_->admit((wanting - std::min(wanting, admitted)) * store_->block_size());
  const Lock lock(mutex_);
  job.claimed = true;
  if (!room) overflow(lock, "there is no room in its budget");
  return {};
}

void Filler::finished(FillJob& job, Result<void> outcome) {
  std::unique_ptr<FillJob> self;
  {
    Lock lock(mutex_);
    const auto at = std::ranges::find_if(jobs_, [&](const auto& one) { return one.get() == &job; });
    if (at == jobs_.end()) return;  // the Filler is going away, or gave this one up
    self = std::move(*at);
    jobs_.erase(at);
    if (self->claimed) store_->release(self->run);
    if (job.rate() > 0) rate_ = job.rate();
    if (!outcome && !job.cut) {
      error_ = outcome.error();
      ++errors_;
      wanted_.clear();
      // Another version than the blocks are of: nobody may mix the two.
      if (origin_->has_changed()) store_->discard();
    } else {
      pump(lock);
    }
    changed_.notify_all();
  }
}

}  // namespace shunt::cache
