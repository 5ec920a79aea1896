#include "shunt/cache/filler.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "shunt/base/log.h"
#include "shunt/base/waiting.h"
#include "shunt/cache/fill_job.h"

namespace shunt::cache {
namespace {

constexpr auto kLookAgain =
    std::chrono::milliseconds(3);  // for blocks that another process fetches

Error not_here_and_offline(std::optional<std::uint64_t> offset = std::nullopt) {
  Error error;
  error.code = ErrorCode::kNetwork;
  error.reason = "not in the cache, and this is offline";
  error.offset = offset;
  return error;
}

}  // namespace

Filler::Filler(std::shared_ptr<BlockStore> store, std::shared_ptr<blob::Origin> origin,
               const FillerOptions& options)
    : store_(std::move(store)), origin_(std::move(origin)), options_(options) {}

Filler::~Filler() {
  std::list<std::shared_ptr<FillJob>> jobs;
  {
    Lock lock(mutex_);
    stopping_ = true;
    changed_.wait(lock, [this] { return admitting_ == 0 && cutting_ == 0; });
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

bool Filler::Waiter::needs(BlockRun blocks) const {
  return run.meets(blocks) ||
         std::ranges::any_of(any, [&](BlockRun one) { return one.meets(blocks); });
}

Result<void> Filler::wait(Lock& lock, const Waiter& waiter) {
  if (options_.cancel != nullptr) SHUNT_TRY(options_.cancel->check());
  if (waiter.failed) return *waiter.failed;
  met_others_ = false;
  pump(lock);
  // Which has let go of the mutex.
  if (waiter.failed) return *waiter.failed;
  const bool in_hand = waiter.urgent && std::ranges::any_of(jobs_, [&](const auto& job) {
                         return job->holds(waiter.run.begin);
                       });
  std::optional<Waiting> told;
  if (met_others_) told.emplace("another process is downloading the same");
  const auto pause = met_others_ || in_hand ? kLookAgain : kAskCancel;
  if (changed_.wait_for(lock, pause) == std::cv_status::timeout) take_from_jobs(lock);
  return {};
}

// A job looks at the clock when bytes come, which they may have ceased to do.
void Filler::take_from_jobs(Lock& lock) {
  std::vector<std::shared_ptr<FillJob>> jobs(jobs_.begin(), jobs_.end());
  lock.unlock();
  for (const auto& job : jobs) job->keep_if_due();
  jobs.clear();
  lock.lock();
}

Result<void> Filler::need(BlockRun run) {
  Lock lock(mutex_);
  reader_at_ = run.begin;
  const auto me = waiting_.insert(waiting_.end(), Waiter{run, true});
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
      outcome = not_here_and_offline(at * store_->block_size());
      break;
    }
    outcome = wait(lock, *me);
  }
  waiting_.erase(me);
  return outcome;
}

Result<Filler::Found> Filler::need_any(std::span<const BlockRun> runs) {
  const auto first = std::ranges::find_if(runs, [](BlockRun run) { return !run.empty(); });
  if (first == runs.end()) {
    Error error;
    error.reason = "nothing to wait for";
    return error;
  }
  Lock lock(mutex_);
  reader_at_ = first->begin;
  // All the time, so that no failure passes unnoticed.
  const auto me = waiting_.insert(waiting_.end(), Waiter{*first, false, runs});
  Result<Found> found = await_any(lock, *me);
  if (!lock.owns_lock()) lock.lock();
  waiting_.erase(me);
  return found;
}

Result<Filler::Found> Filler::await_any(Lock& lock, const Waiter& me) {
  const std::span<const BlockRun> runs = me.any;
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
    if (options_.offline || origin_ == nullptr) return not_here_and_offline();
    if (capacity() != 0) changed_.notify_all();  // its memory moves along with the reader
    SHUNT_TRY(wait(lock, me));
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
  Room room = store_->admit(usable);
  while (room == Room::kBusy) {
    Lock lock(mutex_);
    if (options_.cancel != nullptr && !options_.cancel->check()) {
      store_->release(run);
      return;
    }
    if (do_without_room(lock, room)) break;
    lock.unlock();
    std::this_thread::sleep_for(kLookAgain);
    room = store_->admit(usable);
  }
  if (room == Room::kNone) {
    const Lock lock(mutex_);
    (void)do_without_room(lock, room);
  }
  put(0, bytes.first(static_cast<std::size_t>(usable)));
  store_->release(run);
}

}  // namespace shunt::cache
