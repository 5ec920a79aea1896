#include "shunt/cache/fill_policy.h"

#include <algorithm>
#include <utility>

namespace shunt::cache {

// ---- readers ------------------------------------------------------------------------------------

bool FillPolicy::Reader::needs(BlockRun blocks) const {
  return run.meets(blocks) ||
         std::ranges::any_of(any, [&](BlockRun one) { return one.meets(blocks); });
}

FillPolicy::ReaderId FillPolicy::enter(BlockRun run, Clock::time_point now) {
  Reader added;
  added.id = ++last_id_;
  added.run = run;
  added.urgent = true;
  readers_.push_back(std::move(added));
  reader_at_ = run.begin;
  reader_asked_ = now;
  return last_id_;
}

FillPolicy::ReaderId FillPolicy::enter_any(std::span<const BlockRun> runs, Clock::time_point now) {
  Reader added;
  added.id = ++last_id_;
  added.run = *std::ranges::find_if(runs, [](BlockRun run) { return !run.empty(); });
  added.any.assign(runs.begin(), runs.end());
  reader_at_ = added.run.begin;
  reader_asked_ = now;
  readers_.push_back(std::move(added));
  return last_id_;
}

FillPolicy::Reader& FillPolicy::reader(ReaderId id) {
  return *std::ranges::find(readers_, id, &Reader::id);
}

const FillPolicy::Reader& FillPolicy::reader(ReaderId id) const {
  return *std::ranges::find(readers_, id, &Reader::id);
}

void FillPolicy::advance(ReaderId id, std::uint64_t begin) {
  Reader& moved = reader(id);
  const std::uint64_t before = std::exchange(moved.run.begin, begin);
  if (before != begin) forget_refusal(before, true);
}

void FillPolicy::leave(ReaderId id) {
  const auto at = std::ranges::find(readers_, id, &Reader::id);
  const std::uint64_t block = at->run.begin;
  readers_.erase(at);
  forget_refusal(block, false);
}

const std::optional<Error>& FillPolicy::failure(ReaderId id) const {
  return reader(id).failure;
}

std::optional<std::uint64_t> FillPolicy::first_awaited(BlockRun run) const {
  std::optional<std::uint64_t> first;
  for (const Reader& one : readers_) {
    if (!one.urgent || one.run.empty() || !run.contains(one.run.begin)) continue;
    first = std::min(first.value_or(UINT64_MAX), one.run.begin);
  }
  return first;
}

void FillPolicy::want(std::vector<BlockRun> runs) {
  wanted_.assign(runs.begin(), runs.end());
  wanted_blocks_ = 0;
  for (const BlockRun run : runs) wanted_blocks_ += run.count();
}

// ---- other processes ----------------------------------------------------------------------------

void FillPolicy::look_again(const World& world) {
  if (world.now < look_again_at_) return;
  others_.clear();
  busy_ = false;
}

void FillPolicy::note_refusal(BlockRun held, const World& world) {
  if (!held_up()) look_again_at_ = world.now + kLookAgain;
  others_.push_back(held);
  for (const Reader& one : readers_) {
    if (held.contains(one.run.begin)) refusals_.try_emplace(one.run.begin, Refusal{world.now});
  }
}

// `came`: the block is present now. Another process brought it, unless it was given up.
void FillPolicy::forget_refusal(std::uint64_t block, bool came) {
  const auto refused = refusals_.find(block);
  if (refused == refusals_.end()) return;
  if (came && !refused->second.given_up) others_stand_still_ = false;
  const bool needed = std::ranges::any_of(
      readers_, [&](const Reader& one) { return one.run.begin == block && !one.run.empty(); });
  if (came || !needed) refusals_.erase(refused);
}

// ---- jobs ---------------------------------------------------------------------------------------

FillPolicy::Job* FillPolicy::find(JobId id) {
  const auto at = std::ranges::find(jobs_, id, &Job::id);
  return at == jobs_.end() ? nullptr : &*at;
}

const FillPolicy::Job* FillPolicy::find(JobId id) const {
  const auto at = std::ranges::find(jobs_, id, &Job::id);
  return at == jobs_.end() ? nullptr : &*at;
}

void FillPolicy::erase(JobId id) {
  std::erase_if(jobs_, [&](const Job& job) { return job.id == id; });
  for (Job& job : jobs_) {
    if (job.gives_way_to == id) job.gives_way_to = 0;
  }
  if (everything_ == id) everything_.reset();
}

std::size_t FillPolicy::active() const {
  return static_cast<std::size_t>(std::ranges::count_if(jobs_, [](const Job& job) {
    return job.stage != Stage::kStopping && job.gives_way_to == 0;
  }));
}

FillPolicy::Claimed FillPolicy::claimed(JobId id, Claim claim, const World& world) {
  Claimed answer;
  Job* const job = find(id);
  const BlockRun asked = job->run;
  const bool whole = !world.serves_ranges;
  if (!claim.granted || (whole && claim.count < asked.count())) {
    // For an answer with the whole blob, either all blocks are claimed or none.
    note_refusal(whole ? asked : BlockRun{asked.begin, asked.begin + claim.count}, world);
    if (claim.granted) answer.release.push_back({asked.begin, asked.begin + claim.count});
    erase(id);
    return answer;
  }
  const BlockRun granted{asked.begin, asked.begin + claim.count};
  // The previous holder of the claim may have filled it.
  const BlockRun missing = world.there.next_missing(granted);
  if (missing.empty()) {
    answer.release.push_back(granted);
    erase(id);
    return answer;
  }
  answer.run = whole ? granted : missing;
  if (answer.run->begin > granted.begin) {
    answer.release.push_back({granted.begin, answer.run->begin});
  }
  if (answer.run->end < granted.end) answer.release.push_back({answer.run->end, granted.end});
  job->run = *answer.run;
  return answer;
}

FillPolicy::Admission FillPolicy::admitted(JobId id, Room room, const World& world) {
  const Job* const job = find(id);
  const bool is_starting = job != nullptr && job->stage == Stage::kStarting;
  if (room == Room::kGranted) {
    busy_since_.reset();
    if (!is_starting || !everything_) return Admission::kGo;
    erase(id);  // another download brings the whole blob
    return Admission::kGiveUp;
  }
  if (is_starting) erase(id);
  if (room == Room::kNone) return Admission::kUseMemory;
  if (!held_up()) look_again_at_ = world.now + kLookAgain;
  busy_ = true;
  if (!busy_since_) busy_since_ = world.now;
  return world.now - *busy_since_ > options_.patience ? Admission::kUseMemory : Admission::kGiveUp;
}

void FillPolicy::started(JobId id) {
  if (Job* const job = find(id)) job->stage = Stage::kDownloading;
}

void FillPolicy::arrived(JobId id, std::uint64_t position, std::uint64_t kept, double rate) {
  if (rate > 0) rate_ = rate;
  Job* const job = find(id);
  if (job == nullptr) return;
  job->position = position;
  job->kept = kept;
}

void FillPolicy::sends_everything(JobId id) {
  if (!everything_) everything_ = id;
}

bool FillPolicy::converted(JobId id, Claim claim, const World& world) {
  const BlockRun all{0, options_.blocks};
  if (!claim.granted || claim.count < options_.blocks) {
    note_refusal(all, world);  // another process downloads some of it: not to be fetched twice
    return false;
  }
  find(id)->run = all;
  everything_.reset();
  return true;
}

void FillPolicy::stopping(JobId id) {
  if (Job* const job = find(id)) job->stage = Stage::kStopping;
  if (everything_ == id) everything_.reset();
}

void FillPolicy::ended(JobId id) {
  erase(id);
}

void FillPolicy::failed(JobId id, BlockRun rest, const Error& error) {
  erase(id);
  for (Reader& one : readers_) {
    if (!one.failure && one.needs(rest)) one.failure = error;
  }
  // The wanted blocks behind it would fail in the same way, one request after the other.
  for (BlockRun& run : wanted_) {
    if (run.meets(rest)) run.end = std::max(run.begin, rest.begin);
  }
  std::erase_if(wanted_, [](BlockRun run) { return run.empty(); });
}

// ---- running downloads --------------------------------------------------------------------------

// A third of the capacity: blocks that have been read keep their places while new ones are put, so
// the blocks ahead need room twice; the rest is for batches.
std::uint64_t FillPolicy::most_ahead(const World& world) const {
  if (world.capacity == 0) return UINT64_MAX;
  return reader_at_ + std::max<std::uint64_t>(1, world.capacity / 3);
}

bool FillPolicy::is_behind(const Reader& one, std::uint64_t at, const World& world) const {
  if (one.failure || one.run.empty() || one.run.begin >= at) return false;
  const BlockRun first{one.run.begin, one.run.begin + 1};
  return !world.there.next_missing(first).empty();
}

std::optional<FillPolicy::Step> FillPolicy::next_step(const World& world) const {
  if (everything_) {
    for (const Job& job : jobs_) {
      if (job.id != *everything_ && job.stage == Stage::kDownloading) {
        return Step{Step::Kind::kStop, job.id};
      }
    }
    if (jobs_.size() == 1) return Step{Step::Kind::kConvert, *everything_};
    return std::nullopt;
  }
  if (world.capacity == 0) return std::nullopt;
  for (const Job& job : jobs_) {
    if (job.stage != Stage::kDownloading || job.position == 0) continue;
    const std::uint64_t at = job.position / options_.block_size;
    const std::uint64_t kept = job.kept / options_.block_size;
    // A request from before the blocks went to memory may be too long: it is stopped, and made
    // again in parts. If the server does not serve parts, it continues unless a reader needs an
    // earlier block.
    const bool stop = world.serves_ranges
                          ? at > most_ahead(world) && job.run.count() > world.capacity / 3
                          : std::ranges::any_of(readers_, [&](const Reader& one) {
                              return is_behind(one, kept, world);
                            });
    if (stop) return Step{Step::Kind::kStop, job.id};
  }
  return std::nullopt;
}

bool FillPolicy::may_keep(std::uint64_t first, const World& world) const {
  if (world.serves_ranges || first <= most_ahead(world)) return true;
  // The reader that the store is filled for has stopped reading, and another waits for what is
  // further on.
  return world.now - reader_asked_ > kReaderHasStopped &&
         std::ranges::any_of(readers_, [&](const Reader& one) {
           return !one.failure && !one.run.empty() && one.run.begin >= first;
         });
}

}  // namespace shunt::cache
