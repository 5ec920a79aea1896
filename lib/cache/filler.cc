#include "shunt/cache/filler.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "shunt/base/catching.h"
#include "shunt/base/log.h"
#include "shunt/base/waiting.h"

namespace shunt::cache {
namespace {

// Interval at which to check for a request to stop, which is no event.
constexpr auto kAskCancel = std::chrono::milliseconds(100);
// Time to gather blocks for a reader if they come too fast to be put one by one.
constexpr auto kGather = std::chrono::milliseconds(3);

Error not_here_and_offline(std::optional<std::uint64_t> offset = std::nullopt) {
  Error error;
  error.code = ErrorCode::kNetwork;
  error.reason = "not in the cache (offline)";
  error.offset = offset;
  return error;
}

}  // namespace

Filler::Filler(std::shared_ptr<BlockStore> store, std::shared_ptr<blob::Origin> origin,
               const SourceOptions& options)
    : store_(std::move(store)),
      origin_(std::move(origin)),
      options_(options),
      policy_({store_->blocks(), store_->block_size(), options.connections, options.patience}) {}

Filler::~Filler() {
  io::Thread starter;
  io::Thread mover;
  {
    const Lock lock(mutex_);
    stopping_ = true;
    starter = std::move(starter_);
    mover = std::move(mover_);
  }
  jobs_need_.tell();
  room_for_more_.tell();
  (void)starter.join();
  (void)mover.join();
  RunningJobs jobs;
  {
    const Lock lock(mutex_);
    jobs.swap(jobs_);
  }
  for (auto& [id, running] : jobs) {
    running.download.reset();
    running.job->stopped();
    // Without memory for it, what has come is not kept.
    attempt([&, &job = *running.job] {
      while (const std::optional<Batch> batch = job.take()) {
        put_batch(*batch);
        job.give_back();
      }
    });
    if (running.claimed) store_->release(running.run);
  }
}

// ---- blocks -------------------------------------------------------------------------------------

BlockRun Filler::There::next_missing(BlockRun within) const {
  while (true) {
    const BlockRun run = filler_.store_->next_missing(within);
    if (run.empty() || !filler_.overflowing_) return run;
    const BlockRun part = filler_.overflow_->next_missing(run);
    if (!part.empty()) return part;
    within.begin = run.end;
  }
}

FillPolicy::World Filler::world() const {
  return {std::chrono::steady_clock::now(),
          there_,
          origin_->serves_ranges(),
          origin_->latency(),
          capacity(),
          !overflowing_};
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

std::uint64_t Filler::missing_blocks(BlockRun within) const {
  std::uint64_t count = 0;
  while (!within.empty()) {
    const BlockRun run = store_->next_missing(within);
    count += run.count();
    within.begin = run.empty() ? within.end : run.end;
  }
  return count;
}

Result<bool> Filler::read(std::uint64_t offset, std::span<std::byte> into) {
  if (!overflowing_) return store_->read(offset, into);
  // Block by block: some are in the store, some in memory.
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

void Filler::put(std::uint64_t first, std::span<const std::byte> bytes) {
  bytes_fetched_ += bytes.size();  // first: a reader may ask for it as soon as it finds the blocks
  if (!overflowing_) {
    const Result<void> put = store_->put(first, bytes);
    if (!put) {
      const Lock lock(mutex_);
      overflow(put.error().describe());
    }
  }
  if (overflowing_) (void)overflow_->put(first, bytes);
}

// Skips blocks that are present already, as some may be if the whole blob is sent.
void Filler::put_batch(const Batch& batch) {
  const std::uint64_t block_size = store_->block_size();
  const std::uint64_t count = (batch.bytes.size() + block_size - 1) / block_size;
  for (std::uint64_t i = 0; i < count;) {
    if (has(batch.first + i)) {
      ++i;
      continue;
    }
    std::uint64_t end = i + 1;
    while (end < count && !has(batch.first + end)) ++end;
    const std::uint64_t from = i * block_size;
    const std::uint64_t to = std::min<std::uint64_t>(end * block_size, batch.bytes.size());
    put(batch.first + i,
        batch.bytes.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)));
    i = end;
  }
}

void Filler::keep(JobId id, FillJob& job) {
  const std::optional<Batch> batch = job.take();
  if (!batch) return;
  struct GiveBack {
    Filler& filler;
    const JobId id;
    FillJob& job;
    ~GiveBack() {
      job.give_back();
      {
        const Lock lock(filler.mutex_);
        const auto running = filler.jobs_.find(id);
        if (running != filler.jobs_.end()) resume_if_there_is_room(running->second);
      }
      // What came meanwhile may be due, or the job over: nobody was told while a batch was out.
      if (job.is_due(FillJob::Clock::now(), false) || job.state().over) filler.jobs_need_.tell();
      filler.blocks_.tell();
    }
  } const give_back{*this, id, job};
  put_batch(*batch);
}

// Asked again and again by the mover: a client without memory for the request loses it.
void Filler::resume_if_there_is_room(const Running& running) noexcept {
  if (running.download == nullptr || !running.job->may_resume(FillJob::Clock::now())) return;
  attempt([&] { running.download->resume(); });
}

void Filler::overflow(const std::string& why) {
  if (overflowing_) return;
  log::warn("the cache cannot store more: {}; continuing without it", why);
  overflow_ = std::make_unique<MemoryStore>(store_->size(), store_->block_size());
  overflowing_ = true;
}

void Filler::take_head(std::span<const std::byte> bytes) {
  const std::uint64_t block_size = store_->block_size();
  const std::uint64_t usable =
      bytes.size() == store_->size() ? bytes.size() : bytes.size() - bytes.size() % block_size;
  if (usable == 0) return;
  const BlockRun run{0, (usable + block_size - 1) / block_size};
  // Another process may be downloading it, or have done so.
  if (store_->next_missing(run) != run) return;
  const Claim claim = store_->claim(run);
  if (!claim.granted || claim.count < run.count() || store_->next_missing(run) != run) {
    if (claim.granted) store_->release({0, claim.count});
    return;
  }
  while (true) {
    const FillPolicy::Admission answer = admit(0, run.count());
    if (answer != FillPolicy::Admission::kGiveUp) break;
    if (!check_cancel(options_.cancel)) {
      store_->release(run);
      return;
    }
    std::this_thread::sleep_for(FillPolicy::kLookAgain);
  }
  put(0, bytes.first(static_cast<std::size_t>(usable)));
  store_->release(run);
}

// ---- readers ------------------------------------------------------------------------------------

class Filler::Visit {
 public:
  Visit(Filler& filler, std::span<const BlockRun> any) : filler_(filler) {
    const Lock lock(filler.mutex_);
    id_ = filler.policy_.enter_any(any, FillJob::Clock::now());
    move_memory();
  }
  Visit(Filler& filler, BlockRun run) : filler_(filler) {
    const Lock lock(filler.mutex_);
    id_ = filler.policy_.enter(run, FillJob::Clock::now());
    move_memory();
  }
  ~Visit() {
    const Lock lock(filler_.mutex_);
    filler_.policy_.leave(id_);
    filler_.tell_jobs_who_waits();
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  [[nodiscard]] ReaderId id() const { return id_; }

 private:
  // A store that drops blocks is filled just ahead of the reader, which has moved.
  void move_memory() {
    if (filler_.capacity() == 0) return;
    filler_.jobs_need_.tell();
    filler_.room_for_more_.tell();
  }

  Filler& filler_;
  ReaderId id_ = 0;
};

void Filler::tell_jobs_who_waits() {
  for (const auto& [id, running] : jobs_)
    running.job->set_awaited(policy_.first_awaited(running.run));
}

std::optional<Filler::InHand> Filler::in_hand(std::uint64_t block) {
  std::optional<InHand> found;
  for (const auto& [id, running] : jobs_) {
    FillJob& job = *running.job;
    if (!job.holds(block)) continue;
    const std::uint64_t first = job.state().kept / store_->block_size();
    const bool due = job.is_due(FillJob::Clock::now(), true) && policy_.may_keep(first, world());
    found = {id, running.job, due};
    if (due) break;
  }
  return found;
}

Result<void> Filler::turn(ReaderId reader, std::optional<std::uint64_t> block, std::uint64_t seen) {
  SHUNT_TRY(check_cancel(options_.cancel));
  std::optional<InHand> come;
  std::optional<FillPolicy::Start> start;
  bool held_up = false;
  {
    const Lock lock(mutex_);
    if (block) {
      policy_.advance(reader, *block);
      tell_jobs_who_waits();
    }
    if (const std::optional<Error>& failure = policy_.failure(reader)) return *failure;
    if (block) come = in_hand(*block);
    if (!come || !come->due) start = policy_.start_for(reader, world());
    held_up = policy_.held_up();
  }
  if (come && come->due) {
    keep(come->id, *come->job);
    return {};
  }
  if (start) {
    carry_out(*start);
    return {};
  }
  std::optional<Waiting> told;
  if (held_up) told.emplace("another process is downloading the same");
  blocks_.wait(seen, held_up ? FillPolicy::kLookAgain : come ? kGather : kAskCancel);
  return {};
}

Result<void> Filler::need(BlockRun run) {
  std::uint64_t at = run.begin;
  if (!can_fetch()) {
    while (at < run.end && look(at)) ++at;
    if (at < run.end) return not_here_and_offline(at * store_->block_size());
    return {};
  }
  const Visit visit(*this, run);
  while (true) {
    const std::uint64_t seen = blocks_.count();
    while (at < run.end && look(at)) ++at;
    if (at == run.end) break;
    SHUNT_TRY(turn(visit.id(), at, seen));
  }
  const Lock lock(mutex_);
  policy_.advance(visit.id(), at);
  return {};
}

Result<Filler::Found> Filler::need_any(std::span<const BlockRun> runs) {
  if (std::ranges::all_of(runs, [](BlockRun run) { return run.empty(); })) {
    Error error;
    error.reason = "nothing to wait for";
    return error;
  }
  // Registered before the first check, so that no failure is missed.
  const Visit visit(*this, runs);
  return await_any(visit.id(), runs);
}

Result<Filler::Found> Filler::await_any(ReaderId reader, std::span<const BlockRun> runs) {
  while (true) {
    const std::uint64_t seen = blocks_.count();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i].empty()) continue;
      // Checks the store for the first block, where a download continues, here or in another
      // process. Later blocks count if this process knows of them already.
      (void)look(runs[i].begin);
      BlockRun known = store_->next_known(runs[i]);
      if (overflowing_ && known.empty()) known = overflow_->next_known(runs[i]);
      if (!known.empty()) return Found{i, known};
    }
    if (!can_fetch()) return not_here_and_offline();
    SHUNT_TRY(turn(reader, std::nullopt, seen));
  }
}

void Filler::want(std::vector<BlockRun> runs) {
  if (!can_fetch()) return;
  {
    const Lock lock(mutex_);
    policy_.want(std::move(runs));
  }
  while (true) {
    std::optional<FillPolicy::Start> start;
    {
      const Lock lock(mutex_);
      start = policy_.start_next(world());
    }
    if (!start) return;
    carry_out(*start);
  }
}

}  // namespace shunt::cache
