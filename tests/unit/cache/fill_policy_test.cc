// Tests the policy of a Filler against a model of everything around it: readers, downloads, the
// store, other processes, a clock. Each step is a choice; rapidcheck searches for choices that
// fail.
#include "shunt/cache/fill_policy.h"

#include <rapidcheck.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "support/catch.h"

namespace shunt::cache {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kBlockSize = std::uint64_t{1} << 20;
constexpr auto kPatience = 100ms;

// A sequence of choices; 0 once it has ended.
class Choices {
 public:
  explicit Choices(std::vector<std::uint32_t> values) : values_(std::move(values)) {}
  [[nodiscard]] bool ended() const { return next_ >= values_.size(); }
  // Returns a value in [0, bound).
  std::uint64_t below(std::uint64_t bound) {
    return ended() || bound == 0 ? 0 : values_[next_++] % bound;
  }
  bool one_in(std::uint64_t n) { return below(n) + 1 == n; }

 private:
  std::vector<std::uint32_t> values_;
  std::size_t next_ = 0;
};

struct Setting {
  std::uint64_t blocks = 20;
  unsigned connections = 3;
  std::uint64_t capacity = 0;
  bool sends_everything = false;  // the server does, at the first request of a part
  bool others = false;            // other processes claim blocks, and may fill them
  bool trouble = false;           // downloads fail, room is refused
};

class Model final : public FillPolicy::Blocks {
 public:
  Model(const Setting& setting, Choices choices)
      : setting_(setting),
        choices_(std::move(choices)),
        policy_({setting.blocks, kBlockSize, setting.connections, kPatience}) {}

  void run() {
    while (!choices_.ended()) {
      something_happens();
      check();
    }
    draining_ = true;
    // From now on readers, downloads and other processes all do what they can, in turn.
    for (int round = 0; round < 2000 && !readers_.empty(); ++round) {
      now_ += std::chrono::milliseconds(1 + round % 6);
      everybody_once();
      check();
    }
    RC_ASSERT(readers_.empty());  // no reader waits for ever
    // A download that no reader needs any more may have no room for its blocks.
    for (const JobId id : ids(jobs_)) {
      while (jobs_.contains(id) && jobs_.at(id).stage < Stage::kDownload) step(id);
      if (jobs_.contains(id) && jobs_.at(id).stage == Stage::kDownload) stop(id);
      if (jobs_.contains(id)) clear_up(id);
    }
    RC_ASSERT(policy_.idle());
    RC_ASSERT(my_claims_.empty());
  }

  [[nodiscard]] BlockRun next_missing(BlockRun within) const override {
    std::uint64_t at = within.begin;
    while (at < within.end && there_.contains(at)) ++at;
    std::uint64_t end = at;
    while (end < within.end && !there_.contains(end)) ++end;
    return {at, end};
  }

 private:
  using JobId = FillPolicy::JobId;
  using ReaderId = FillPolicy::ReaderId;
  enum class Stage { kClaim, kAdmit, kStart, kDownload, kOver };
  struct Job {
    BlockRun run;
    std::optional<JobId> instead_of{};
    bool claimed = false;
    Stage stage = Stage::kClaim;
    std::uint64_t next = 0;  // block that comes next
    std::uint64_t kept = 0;  // block that is put next
    bool begun = false;
    bool held = false;  // paused until it is told to continue to the end
    bool failed = false;
  };
  struct Reader {
    BlockRun run;
    std::vector<BlockRun> any;
  };

  [[nodiscard]] FillPolicy::World world() const {
    return {now_, *this, serves_ranges_, 0.01, capacity_, shared_};
  }

  // ---- the store

  void put(std::uint64_t block) {
    if (!there_.insert(block).second) return;
    by_age_.push_back(block);
    if (capacity_ == 0 || by_age_.size() <= capacity_) return;
    there_.erase(by_age_.front());
    by_age_.pop_front();
  }

  Claim claim(BlockRun run) {
    const auto taken = [&](std::uint64_t block) {
      return their_claims_.contains(block) || my_claims_.contains(block);
    };
    const bool refused = taken(run.begin);
    std::uint64_t end = run.begin;
    while (end < run.end && taken(end) == refused) ++end;
    if (!refused) {
      for (std::uint64_t block = run.begin; block < end; ++block) my_claims_.insert(block);
    }
    return {!refused, end - run.begin};
  }

  void release(BlockRun run) {
    for (std::uint64_t block = run.begin; block < run.end; ++block) {
      RC_ASSERT(my_claims_.erase(block) == 1U);
    }
  }

  // ---- what the Filler does, one step at a time

  void take_up(const std::optional<FillPolicy::Start>& start) {
    if (!start) return;
    RC_ASSERT_FALSE(start->run.empty());
    for (const auto& [id, job] : jobs_) RC_ASSERT_FALSE(job.run.meets(start->run));
    Job job;
    job.run = start->run;
    job.instead_of = start->instead_of;
    job.stage = start->claim ? Stage::kClaim : Stage::kAdmit;
    jobs_[start->job] = job;
  }

  void step(JobId id) {
    Job& job = jobs_.at(id);
    switch (job.stage) {
      case Stage::kClaim: {
        const Claim answer = claim(job.run);
        const FillPolicy::Claimed claimed = policy_.claimed(id, answer, world());
        for (const BlockRun run : claimed.release) release(run);
        if (!claimed.run) {
          jobs_.erase(id);
          return;
        }
        job.run = *claimed.run;
        job.claimed = true;
        job.stage = Stage::kAdmit;
        return;
      }
      case Stage::kAdmit: {
        if (job.instead_of && jobs_.contains(*job.instead_of)) stop(*job.instead_of);
        job.instead_of.reset();
        if (!shared_) {
          job.stage = Stage::kStart;
          return;
        }
        const FillPolicy::Admission answer = policy_.admitted(id, room(), world());
        if (answer == FillPolicy::Admission::kGo) {
          job.stage = Stage::kStart;
          return;
        }
        if (job.claimed) release(job.run);
        jobs_.erase(id);
        if (answer == FillPolicy::Admission::kUseMemory) use_memory();
        return;
      }
      case Stage::kStart:
        policy_.started(id);
        job.stage = Stage::kDownload;
        return;
      case Stage::kDownload:
        return deliver(id, job);
      case Stage::kOver:
        return clear_up(id);
    }
  }

  Room room() {
    if (!setting_.trouble) return Room::kGranted;
    if (draining_) return Room::kGranted;
    const std::uint64_t answer = choices_.below(12);
    return answer == 1 ? Room::kNone : answer < 4 ? Room::kBusy : Room::kGranted;
  }

  void use_memory() {
    shared_ = false;
    if (capacity_ == 0) capacity_ = 12;
  }

  void deliver(JobId id, Job& job) {
    const BlockRun all{0, setting_.blocks};
    if (!job.begun) {
      if (setting_.sends_everything && job.run != all) serves_ranges_ = false;
      job.begun = true;
      job.next = job.kept = serves_ranges_ ? job.run.begin : 0;
    }
    if (job.next == setting_.blocks || (serves_ranges_ && job.next == job.run.end)) {
      job.stage = Stage::kOver;
      return;
    }
    if (!job.run.contains(job.next)) {
      job.held = true;  // the client is told to pause
      policy_.sends_everything(id);
      return;
    }
    if (setting_.trouble && !draining_ && choices_.one_in(15)) {
      job.failed = true;
      job.stage = Stage::kOver;
      ++failures_;
      return;
    }
    constexpr std::uint64_t kInHand = 3;
    if (job.next - job.kept >= kInHand) return;
    ++sent_[job.next];
    ++job.next;
  }

  void keep(JobId id, Job& job) {
    if (job.next == job.kept) return;
    const bool over = job.stage == Stage::kOver;
    if (!over && !policy_.may_keep(job.kept, world())) return;
    put(job.kept);
    ++job.kept;
    policy_.arrived(id, job.next * kBlockSize, job.kept * kBlockSize, 0);
  }

  void stop(JobId id) {
    Job& job = jobs_.at(id);
    RC_ASSERT(job.stage == Stage::kDownload || job.stage == Stage::kOver);
    policy_.stopping(id);
    job.stage = Stage::kOver;
    job.failed = false;
  }

  void clear_up(JobId id) {
    Job& job = jobs_.at(id);
    while (job.next != job.kept) keep(id, job);
    if (job.claimed) release(job.run);
    Error error;
    error.reason = "a fault";
    const BlockRun rest =
        job.begun ? BlockRun{std::clamp(job.next, job.run.begin, job.run.end), job.run.end}
                  : job.run;
    const bool failed = job.failed;
    jobs_.erase(id);
    failed ? policy_.failed(id, rest, error) : policy_.ended(id);
  }

  void convert(JobId id) {
    Job& job = jobs_.at(id);
    RC_ASSERT(jobs_.size() == 1U);
    const BlockRun all{0, setting_.blocks};
    if (std::exchange(job.claimed, false)) release(job.run);
    const Claim answer = shared_ ? claim(all) : Claim{true, all.count()};
    if (!policy_.converted(id, answer, world())) {
      if (answer.granted) release({0, answer.count});
      return stop(id);
    }
    job.run = all;
    job.claimed = shared_;
    if (shared_) {
      const FillPolicy::Admission admitted = policy_.admitted(id, room(), world());
      if (admitted == FillPolicy::Admission::kGiveUp) return stop(id);
      if (admitted == FillPolicy::Admission::kUseMemory) use_memory();
    }
    job.held = false;
  }

  void move() {
    if (const auto next = policy_.next_step(world())) {
      next->kind == FillPolicy::Step::Kind::kStop ? stop(next->job) : convert(next->job);
    }
  }

  void read(ReaderId id) {
    Reader& reader = readers_.at(id);
    if (!reader.any.empty()) {
      const bool found = std::ranges::any_of(
          reader.any, [&](BlockRun run) { return !run.empty() && next_missing(run) != run; });
      if (found) return leave(id);
    } else {
      std::uint64_t at = reader.run.begin;
      while (at < reader.run.end && there_.contains(at)) ++at;
      if (at != reader.run.begin) policy_.advance(id, at);
      reader.run.begin = at;
      if (at == reader.run.end) return leave(id);
    }
    if (policy_.failure(id)) {
      RC_ASSERT(failures_ > 0);
      return leave(id);
    }
    take_up(policy_.start_for(id, world()));
  }

  void leave(ReaderId id) {
    policy_.leave(id);
    readers_.erase(id);
  }

  // ---- other processes

  void others() {
    const std::uint64_t block = choices_.below(setting_.blocks);
    switch (choices_.below(3)) {
      case 0:  // claims
        if (!my_claims_.contains(block) && !there_.contains(block)) their_claims_.insert(block);
        return;
      case 1:  // fills
        if (their_claims_.erase(block) != 0) put(block);
        return;
      default:  // dies
        their_claims_.erase(block);
    }
  }

  // ---- time goes on

  BlockRun some_run(std::uint64_t longest) {
    const std::uint64_t begin = choices_.below(setting_.blocks);
    const std::uint64_t most = std::min(longest, setting_.blocks - begin);
    return {begin, begin + 1 + choices_.below(most)};
  }

  void something_happens() {
    now_ += std::chrono::milliseconds(choices_.below(4));
    switch (choices_.below(10)) {
      case 0:
        if (readers_.size() < 4) {
          const BlockRun run = some_run(capacity_ == 0 && !setting_.trouble ? 8 : 3);
          readers_[policy_.enter(run, now_)] = {run, {}};
        }
        return;
      case 1:
        if (readers_.size() < 4) {
          const std::vector<BlockRun> runs{some_run(5), some_run(5)};
          readers_[policy_.enter_any(runs, now_)] = {runs.front(), runs};
        }
        return;
      case 2:
        policy_.want({some_run(setting_.blocks), some_run(setting_.blocks)});
        return;
      case 3:
        if (setting_.others && shared_ && capacity_ == 0) return others();
        return move();
      case 4:
        return take_up(policy_.start_next(world()));
      case 5:
        return move();
      case 6:
        if (!readers_.empty()) {
          const ReaderId id =
              std::next(readers_.begin(),
                        static_cast<std::ptrdiff_t>(choices_.below(readers_.size())))
                  ->first;
          // A reader does not know of blocks that have come since its last look.
          choices_.below(3) == 0 ? take_up(policy_.start_for(id, world())) : read(id);
        }
        return;
      default:
        if (!jobs_.empty()) {
          const auto at =
              std::next(jobs_.begin(), static_cast<std::ptrdiff_t>(choices_.below(jobs_.size())));
          if (choices_.below(2) == 0) {
            keep(at->first, at->second);
          } else {
            step(at->first);
          }
        }
    }
  }

  void everybody_once() {
    for (const ReaderId id : ids(readers_)) read(id);
    take_up(policy_.start_next(world()));
    for (const JobId id : ids(jobs_)) {
      if (!jobs_.contains(id)) continue;
      Job& job = jobs_.at(id);
      if (job.stage == Stage::kDownload || job.stage == Stage::kOver) keep(id, job);
      step(id);
    }
    move();
  }

  template <typename Map>
  [[nodiscard]] static std::vector<std::uint64_t> ids(const Map& map) {
    std::vector<std::uint64_t> found;
    for (const auto& [id, value] : map) found.push_back(id);
    return found;
  }

  void check() const {
    std::size_t connections = 0;
    for (const auto& [id, job] : jobs_) connections += job.stage == Stage::kDownload ? 1U : 0U;
    RC_ASSERT(connections <= setting_.connections);
    for (auto one = jobs_.begin(); one != jobs_.end(); ++one) {
      for (auto other = std::next(one); other != jobs_.end(); ++other) {
        RC_ASSERT_FALSE(one->second.run.meets(other->second.run));
      }
    }
    // No block comes twice, unless blocks are lost or other processes are not waited for.
    if (setting_.sends_everything || setting_.capacity != 0 || setting_.trouble) return;
    for (const auto& [block, times] : sent_) RC_ASSERT(times == 1U);
  }

  const Setting setting_;
  Choices choices_;
  FillPolicy policy_;
  FillPolicy::Clock::time_point now_{};
  bool draining_ = false;
  bool serves_ranges_ = true;
  bool shared_ = true;
  std::uint64_t capacity_ = setting_.capacity;
  unsigned failures_ = 0;

  std::set<std::uint64_t> there_;
  std::deque<std::uint64_t> by_age_;
  std::set<std::uint64_t> my_claims_;
  std::set<std::uint64_t> their_claims_;
  std::map<std::uint64_t, unsigned> sent_;  // how often each block came
  std::map<JobId, Job> jobs_;
  std::map<ReaderId, Reader> readers_;
};

void hold(const std::string& what, const std::function<Setting()>& setting) {
  const bool held = rc::check(what, [&] {
    const Setting chosen = setting();
    const auto steps = *rc::gen::inRange<std::size_t>(0, 600);
    const auto values = *rc::gen::container<std::vector<std::uint32_t>>(
        steps, rc::gen::noShrink(rc::gen::inRange<std::uint32_t>(0, 1 << 20)));
    Model(chosen, Choices(values)).run();
  });
  CHECK(held);
}

Setting some_setting() {
  Setting setting;
  setting.blocks = *rc::gen::inRange<std::uint64_t>(1, 40);
  setting.connections = *rc::gen::inRange<unsigned>(1, 5);
  return setting;
}

TEST_CASE("fill policy: every block once, and nobody waits for ever") {
  hold("alone", [] { return some_setting(); });
}

TEST_CASE("fill policy: beside other processes, which fill what they claim or do not") {
  hold("beside others", [] {
    Setting setting = some_setting();
    setting.others = true;
    return setting;
  });
}

TEST_CASE("fill policy: a server that sends everything") {
  hold("everything", [] {
    Setting setting = some_setting();
    setting.sends_everything = true;
    setting.others = *rc::gen::arbitrary<bool>();
    return setting;
  });
}

TEST_CASE("fill policy: with little memory") {
  hold("little memory", [] {
    Setting setting = some_setting();
    setting.capacity = *rc::gen::inRange<std::uint64_t>(8, 20);
    setting.sends_everything = *rc::gen::arbitrary<bool>();
    return setting;
  });
}

TEST_CASE("fill policy: downloads fail, and room is refused") {
  hold("trouble", [] {
    Setting setting = some_setting();
    setting.trouble = true;
    setting.others = *rc::gen::arbitrary<bool>();
    setting.sends_everything = *rc::gen::arbitrary<bool>();
    return setting;
  });
}

// Everything is missing.
class Nothing final : public FillPolicy::Blocks {
 public:
  [[nodiscard]] BlockRun next_missing(BlockRun within) const override { return within; }
};

TEST_CASE("fill policy: a download that was to give way goes on if the claim is refused") {
  const Nothing nothing;
  const FillPolicy::World world{{}, nothing};
  FillPolicy policy({100, kBlockSize, 1});
  policy.want({{0, 20}});
  const auto first = policy.start_next(world);
  REQUIRE(first);
  REQUIRE(policy.claimed(first->job, {true, first->run.count()}, world).run);
  REQUIRE(policy.admitted(first->job, Room::kGranted, world) == FillPolicy::Admission::kGo);
  policy.started(first->job);
  const auto reader = policy.enter({30, 31}, {});
  const auto instead = policy.start_for(reader, world);
  REQUIRE(instead);
  CHECK(instead->instead_of == first->job);
  CHECK_FALSE(policy.claimed(instead->job, {false, 1}, world).run);
  policy.leave(reader);
  // It holds the one connection still.
  policy.want({{50, 60}});
  CHECK_FALSE(policy.start_next(world));
}

}  // namespace
}  // namespace shunt::cache
