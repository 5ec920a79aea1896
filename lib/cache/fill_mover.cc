// The part of a Filler that carries out what its policy decides: starts requests, and handles them
// until they are over.
#include <algorithm>
#include <utility>

#include "shunt/base/catching.h"
#include "shunt/base/checked.h"
#include "shunt/cache/filler.h"

namespace shunt::cache {
namespace {

// Size of a job's buffer between the client and the store: of one that is alone when it starts,
// and of one beside others. Smaller if blocks go to memory: small batches cost nothing there, and
// memory is limited. A large one keeps the client and the mover from waiting for one another.
constexpr std::uint64_t kInHandAlone = std::uint64_t{4} << 20;
constexpr std::uint64_t kInHand = std::uint64_t{1} << 20;
constexpr std::uint64_t kInHandForMemory = std::uint64_t{320} << 10;
// Interval at which the mover looks for bytes that are due: no event is told when time passes.
constexpr auto kLookAtHands = std::chrono::milliseconds(50);
constexpr auto kLookAtConnections = std::chrono::milliseconds(100);
constexpr std::chrono::nanoseconds kLong = std::chrono::seconds(60);

}  // namespace

// ---- requests -----------------------------------------------------------------------------------

FillPolicy::Admission Filler::admit(JobId id, std::uint64_t blocks) {
  const Room room = store_->admit(blocks * store_->block_size());
  const Lock lock(mutex_);
  const FillPolicy::Admission answer = policy_.admitted(id, room, world());
  if (answer == FillPolicy::Admission::kUseMemory) {
    overflow(room == Room::kNone ? "its budget is used up"
                                 : "other processes keep its budget locked");
  }
  return answer;
}

void Filler::carry_out(const FillPolicy::Start& start) {
  BlockRun claimed;
  const Result<void> done = catching([&] { return try_to_carry_out(start, claimed); });
  if (!done) {
    attempt([&] { store_->release(claimed); });
    const Lock lock(mutex_);
    jobs_.erase(start.job);
    policy_.failed(start.job, start.run, done.error());
  }
  jobs_need_.tell();
  blocks_.tell();
}

Result<void> Filler::try_to_carry_out(const FillPolicy::Start& start, BlockRun& claimed) {
  BlockRun run = start.run;
  if (start.claim) {
    const Claim claim = store_->claim(run);
    if (claim.granted) claimed = {run.begin, run.begin + claim.count};
    FillPolicy::Claimed answer;
    {
      const Lock lock(mutex_);
      answer = policy_.claimed(start.job, claim, world());
    }
    claimed = answer.run.value_or(BlockRun{});
    for (const BlockRun given : answer.release) store_->release(given);
    if (!answer.run) return {};
    run = *answer.run;
  }
  if (start.instead_of) stop(*start.instead_of);
  if (!overflowing_ && admit(start.job, missing_blocks(run)) != FillPolicy::Admission::kGo) {
    store_->release(std::exchange(claimed, {}));
    return {};
  }
  const std::uint64_t block_size = store_->block_size();
  std::shared_ptr<FillJob> job;
  {
    const Lock lock(mutex_);
    const std::uint64_t buffer = capacity() != 0 ? kInHandForMemory
                                 : jobs_.empty() ? kInHandAlone
                                                 : kInHand;
    const FillJob::Shape shape{store_->size(), block_size,
                               round_up(std::max(buffer, 3 * block_size), block_size)};
    job = std::make_shared<FillJob>(shape, run, policy_.first_awaited(run), jobs_need_, blocks_);
    Running& running = jobs_[start.job];
    running.job = job;
    running.run = run;
    running.claimed = start.claim;
  }
  std::unique_ptr<blob::Download> download = origin_->start(
      {run.begin * block_size, std::min(run.end * block_size, store_->size())}, *job);
  // After the request is on its way: its answer takes longer.
  SHUNT_TRY(start_threads());
  const Lock lock(mutex_);
  Running& running = jobs_.at(start.job);
  running.download = std::move(download);
  running.begun = true;
  policy_.started(start.job);
  return {};
}

Result<void> Filler::start_threads() {
  const Lock lock(mutex_);
  // Read here, since the thread may start after the first event.
  const std::uint64_t seen = room_for_more_.count();
  if (!starter_.joinable()) {
    SHUNT_ASSIGN(starter_, io::Thread::start([this, seen] { return run_starter(seen); }));
  }
  if (!mover_.joinable()) {
    SHUNT_ASSIGN(mover_, io::Thread::start([this] { return run_mover(); }));
  }
  return {};
}

// ---- the starter and the mover ------------------------------------------------------------------

Result<void> Filler::run_starter(std::uint64_t seen) {
  bool waits = true;  // the thread that makes the first request also makes those beside it
  while (true) {
    bool idle = false;
    {
      const Lock lock(mutex_);
      if (stopping_) return {};
      idle = policy_.idle() && !policy_.held_up();
    }
    // Wakes up at intervals: whether more connections are worth having shows while they work.
    if (waits) room_for_more_.wait(seen, idle ? kLong : kLookAtConnections);
    seen = room_for_more_.count();
    const Result<void> done = catching([&]() -> Result<void> {
      std::optional<FillPolicy::Start> start;
      {
        const Lock lock(mutex_);
        if (stopping_) return {};
        start = policy_.start_next(world());
      }
      waits = !start;
      if (start) carry_out(*start);
      return {};
    });
    waits = waits || !done;
  }
}

Filler::Task Filler::next_task() {
  using Kind = Task::Kind;
  const auto now = FillJob::Clock::now();
  const Lock lock(mutex_);
  const FillPolicy::World at_present = world();
  Task keep;
  for (auto& [id, running] : jobs_) {
    if (!running.begun) continue;
    FillJob& job = *running.job;
    const FillJob::State state = job.state();
    if (state.over && state.nothing_left) return {Kind::kClear, id};
    policy_.arrived(id, state.position, state.kept, state.rate);
    if (state.sends_everything) policy_.sends_everything(id);
    if (!running.has_bytes && state.position != 0) {
      running.has_bytes = true;
      room_for_more_.tell();  // the latency is known now
    }
    resume_if_there_is_room(running);
    if (!job.is_due(now, false) ||
        (!state.over && !policy_.may_keep(state.kept / store_->block_size(), at_present))) {
      continue;
    }
    // In turn, so that a disk that is slower than the network does not keep the first job alone
    // busy.
    if (keep.job == nullptr || (keep.id <= last_kept_ && id > last_kept_)) {
      keep = {Kind::kKeep, id, running.job};
    }
  }
  if (const std::optional<FillPolicy::Step> step = policy_.next_step(at_present)) {
    return {step->kind == FillPolicy::Step::Kind::kStop ? Kind::kStop : Kind::kConvert, step->job};
  }
  if (keep.job != nullptr) last_kept_ = keep.id;
  return keep;
}

void Filler::perform(const Task& task) {
  switch (task.kind) {
    case Task::Kind::kNone:
      return;
    case Task::Kind::kKeep:
      return keep(task.id, *task.job);
    case Task::Kind::kStop:
      return stop(task.id);
    case Task::Kind::kConvert:
      return run_or_fail([&] { convert(task.id); },
                         [&](const Result<void>& /*failed*/) { stop(task.id); });
    case Task::Kind::kClear:
      return clear_up(task.id);
  }
}

Result<void> Filler::run_mover() {
  while (true) {
    const std::uint64_t seen = jobs_need_.count();
    bool waits = true;
    const Result<void> done = catching([&]() -> Result<void> {
      const Task task = next_task();
      waits = task.kind == Task::Kind::kNone;
      perform(task);
      return {};
    });
    bool idle = false;
    {
      const Lock lock(mutex_);
      if (stopping_) return {};
      idle = jobs_.empty();
    }
    if (waits || !done) jobs_need_.wait(seen, idle ? kLong : kLookAtHands);
  }
}

void Filler::stop(JobId id) {
  std::shared_ptr<FillJob> job;
  std::unique_ptr<blob::Download> download;
  {
    const Lock lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || found->second.download == nullptr) return;
    job = found->second.job;
    download = std::move(found->second.download);
    policy_.stopping(id);
  }
  download.reset();
  job->stopped();
  jobs_need_.tell();
}

void Filler::clear_up(JobId id) {
  Running gone;
  {
    const Lock lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return;
    gone = std::move(found->second);
    jobs_.erase(found);
  }
  gone.download.reset();
  // Whatever happens, the policy is told that the job is over.
  if (gone.claimed) attempt([&] { store_->release(gone.run); });
  const auto tell_policy = [&] {
    const Result<void> outcome = gone.job->outcome();
    const bool changed = !outcome && origin_->has_changed();
    // The server has another version now: blocks of two versions must not be mixed.
    if (changed) store_->discard();
    const Lock lock(mutex_);
    if (outcome) return policy_.ended(id);
    policy_.failed(id, changed ? BlockRun{0, store_->blocks()} : gone.job->rest(), outcome.error());
  };
  run_or_fail(tell_policy, [&](const Result<void>& /*failed*/) {
    const Lock lock(mutex_);
    policy_.ended(id);
  });
  room_for_more_.tell();
  blocks_.tell();
}

void Filler::convert(JobId id) {
  const BlockRun all{0, store_->blocks()};
  std::shared_ptr<FillJob> job;
  BlockRun admitted;
  bool was_claimed = false;
  {
    const Lock lock(mutex_);
    Running& running = jobs_.at(id);
    job = running.job;
    admitted = running.run;
    was_claimed = std::exchange(running.claimed, false);
  }
  if (was_claimed) store_->release(admitted);
  const bool shared = !overflowing_;
  const Claim claim = shared ? store_->claim(all) : Claim{true, all.count()};
  bool whole = false;
  {
    const Lock lock(mutex_);
    whole = policy_.converted(id, claim, world());
    if (whole) {
      jobs_.at(id).run = all;
      jobs_.at(id).claimed = shared;
    }
  }
  if (!whole) {
    if (claim.granted) store_->release({0, claim.count});
    return stop(id);
  }
  if (shared) {
    // The missing blocks of the first run, and those of it that have come since, were admitted
    // then.
    const std::uint64_t wanting =
        missing_blocks({0, admitted.begin}) + missing_blocks({admitted.end, all.end});
    // Then the blocks are requested, and room asked for, again later.
    if (admit(id, wanting) == FillPolicy::Admission::kGiveUp) return stop(id);
  }
  job->extend(all);
}

}  // namespace shunt::cache
