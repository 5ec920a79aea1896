// The part of a FillPolicy that plans requests: for which reader, of which blocks, how long and how
// many.
#include <algorithm>

#include "shunt/cache/fill_policy.h"

namespace shunt::cache {
namespace {

// For a server that answers within this time, in seconds, more connections have no latency to hide.
constexpr double kNoLatency = 0.002;
// Below this rate, in bytes a second, a connection may be limited by something that a second
// connection does not share.
constexpr double kSlow = 100e6;
// A request takes at least this many times the server's latency, so that waiting for answers takes
// at most a fortieth of the time.
constexpr double kLatencies = 40;
constexpr std::uint64_t kShortest = std::uint64_t{1} << 20;
// A download with less than this left is not stopped: it ends soon by itself, and no incomplete
// block is lost.
constexpr std::uint64_t kWorthStopping = std::uint64_t{2} << 20;
constexpr std::uint64_t kUsual = std::uint64_t{64} << 20;
// Divides the patience with other processes after one wait in vain.
constexpr int kLessPatience = 20;

BlockRun common(BlockRun a, BlockRun b) {
  const std::uint64_t begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

}  // namespace

unsigned FillPolicy::connections_worth(const World& world) const {
  const bool slow = rate_ > 0 && rate_ < kSlow;
  return world.latency >= kNoLatency || slow ? options_.connections : 1;
}

unsigned FillPolicy::limit(const World& world) const {
  const unsigned worth = connections_worth(world);
  return keep_one_ ? std::clamp(options_.connections - 1, 1U, worth) : worth;
}

std::uint64_t FillPolicy::longest_request(const World& world) const {
  const std::uint64_t block_size = options_.block_size;
  const unsigned connections = std::max(1U, connections_worth(world));
  if (world.capacity != 0) {
    return std::max<std::uint64_t>(1, world.capacity / 3 / connections);
  }
  std::uint64_t bytes = kUsual;
  if (rate_ > 0 && world.latency > 0) {
    bytes = static_cast<std::uint64_t>(rate_ * world.latency * kLatencies);
  }
  // At least what comes in a fifth of a second, but between 4 and 16 MiB.
  const auto least = static_cast<std::uint64_t>(rate_ / 5);
  bytes = std::clamp(bytes, std::clamp(least, kUsual / 16, kUsual / 4), kUsual * 16);
  // At most an equal share of what is wanted, so that all connections end at the same time.
  const std::uint64_t share = wanted_blocks_ * block_size / connections + block_size;
  bytes = std::min(bytes, std::max(share, kShortest));
  return std::max<std::uint64_t>(1, bytes / block_size);
}

BlockRun FillPolicy::startable(BlockRun within, const World& world) const {
  const BlockRun none{within.end, within.end};
  BlockRun rest = within;
  while (!rest.empty()) {
    BlockRun run = world.there.next_missing(rest);
    if (run.empty()) return none;
    std::uint64_t taken_until = run.begin;
    const auto leave_out = [&](BlockRun taken) {
      if (taken.contains(run.begin)) taken_until = std::max(taken_until, taken.end);
      if (taken.begin > run.begin) run.end = std::min(run.end, taken.begin);
    };
    for (const Job& job : jobs_) leave_out(job.run);
    if (world.shared) {
      for (const BlockRun held : others_) leave_out(held);
    }
    if (taken_until == run.begin) return run;
    rest.begin = std::min(rest.end, taken_until);
  }
  return none;
}

FillPolicy::Start FillPolicy::place(BlockRun run, bool claim) {
  Job& job = jobs_.emplace_back();
  job.id = ++last_id_;
  job.run = run;
  return {job.id, run, claim, std::nullopt};
}

std::optional<FillPolicy::Start> FillPolicy::plan(BlockRun within, const World& world) {
  if (world.shared && busy_) return std::nullopt;
  BlockRun run = startable(within, world);
  if (run.empty()) return std::nullopt;
  if (!world.serves_ranges) {
    // One request brings the whole blob; a second one would bring it again.
    if (!jobs_.empty() || (world.shared && !others_.empty())) return std::nullopt;
    return place({0, options_.blocks}, world.shared);
  }
  // The request is extended through the wanted blocks that follow.
  for (const BlockRun wanted : wanted_) {
    if (keep_one_ || !wanted.contains(run.end) || run.end != within.end) continue;
    const BlockRun more =
        startable(common({run.end, wanted.end}, {run.end, most_ahead(world)}), world);
    if (more.begin == run.end) run.end = more.end;
  }
  run.end = std::min(run.end, run.begin + longest_request(world));
  return place(run, world.shared);
}

// The process that holds the claim may be suspended, or too slow to wait for. To download the bytes
// twice is better than to wait for ever.
std::optional<FillPolicy::Start> FillPolicy::plan_in_vain(const Reader& one, const World& world) {
  const auto refused = refusals_.find(one.run.begin);
  if (!world.shared || busy_ || refused == refusals_.end()) return std::nullopt;
  // A suspended process has as many claims as connections: does not wait the full time for each.
  const auto patience = others_stand_still_ ? options_.patience / kLessPatience : options_.patience;
  if (world.now - refused->second.since <= patience) return std::nullopt;
  const auto held =
      std::ranges::find_if(others_, [&](BlockRun run) { return run.contains(one.run.begin); });
  if (held == others_.end()) return std::nullopt;  // it may be free now: claim it again
  BlockRun run = world.there.next_missing(common(one.run, *held));
  if (run.empty() || run.begin != one.run.begin) return std::nullopt;  // the block has just come
  if (world.serves_ranges) {
    run.end = std::min(run.end, run.begin + longest_request(world));
    for (const Job& job : jobs_) {
      if (job.run.contains(run.begin)) return std::nullopt;  // the block is being downloaded
      if (job.run.begin > run.begin) run.end = std::min(run.end, job.run.begin);
    }
  } else {
    if (!jobs_.empty()) return std::nullopt;
    run = {0, options_.blocks};
  }
  refused->second.given_up = others_stand_still_ = true;
  return place(run, false);
}

const FillPolicy::Job* FillPolicy::idle_job(const World& world) const {
  // A download of the whole blob cannot be continued later.
  if (!world.serves_ranges) return nullptr;
  // Searches from the last job: its blocks are needed last.
  const auto idle = std::find_if(jobs_.rbegin(), jobs_.rend(), [&](const Job& job) {
    const std::uint64_t at = std::max(job.position / options_.block_size, job.run.begin);
    return job.stage == Stage::kDownloading && job.gives_way_to == 0 && at < job.run.end &&
           (job.run.end - at) * options_.block_size >= kWorthStopping && !first_awaited(job.run);
  });
  return idle == jobs_.rend() ? nullptr : &*idle;
}

std::optional<FillPolicy::Start> FillPolicy::start_for(ReaderId id, const World& world) {
  const Reader& one = reader(id);
  if (one.failure || one.run.empty() || everything_) return std::nullopt;
  std::optional<JobId> stopped;
  if (active() >= (one.urgent ? options_.connections : limit(world))) {
    const Job* const idle = one.urgent ? idle_job(world) : nullptr;
    if (idle == nullptr) return std::nullopt;
    stopped = idle->id;
  }
  // Before what others held is forgotten: that they hold it is what this is about.
  std::optional<Start> next = plan_in_vain(one, world);
  look_again(world);
  if (!next) next = plan(one.run, world);
  if (next && stopped) {
    keep_one_ = true;
    next->instead_of = stopped;
    find(*stopped)->gives_way_to = next->job;
  }
  return next;
}

std::optional<FillPolicy::Start> FillPolicy::start_next(const World& world) {
  for (const Reader& one : readers_) {
    if (std::optional<Start> next = start_for(one.id, world)) return next;
  }
  look_again(world);
  if (everything_) return std::nullopt;
  const unsigned most = limit(world);
  for (std::size_t i = 0; i < wanted_.size() && active() < most; ++i) {
    BlockRun run = wanted_[i];
    if (world.capacity != 0) run = common(run, {reader_at_, most_ahead(world)});
    if (run.empty()) continue;
    if (std::optional<Start> next = plan(run, world)) return next;
  }
  return std::nullopt;
}

}  // namespace shunt::cache
