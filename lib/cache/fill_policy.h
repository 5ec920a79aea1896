// Decides which blocks of a blob are downloaded next, in which requests, and which downloads end
// early. It does nothing itself: no thread, no clock, no input or output. The Filler asks it, does
// what it says, and tells it what came of that.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/cache/block_store.h"

namespace shunt::cache {

struct FillPolicyOptions {
  std::uint64_t blocks = 0;      // of the blob
  std::uint64_t block_size = 0;  // bytes
  unsigned connections = 8;      // at most
  // How long another process may hold a block, or the count of the budget, without any block coming
  // of it. After one such wait that was in vain, a twentieth of it, until a block comes of others.
  std::chrono::milliseconds patience = std::chrono::seconds(20);
};

// Not thread-safe: its owner holds a lock around each call.
class FillPolicy {
 public:
  using Clock = std::chrono::steady_clock;
  using JobId = std::uint64_t;
  using ReaderId = std::uint64_t;

  // Which blocks are there.
  class Blocks {
   public:
    virtual ~Blocks() = default;
    // As BlockStore::next_missing().
    [[nodiscard]] virtual BlockRun next_missing(BlockRun within) const = 0;
  };

  // The state of everything else at the time of a question.
  struct World {
    Clock::time_point now;
    const Blocks& there;
    bool serves_ranges = true;   // of the origin, as is the next
    double latency = 0;          // seconds to the first byte of an answer; 0: not known
    std::uint64_t capacity = 0;  // blocks that the store holds before it drops others; 0: all
    bool shared = true;          // others may fill the store: blocks are claimed, room is asked for
  };

  // One request to be made. From now on nobody else starts its blocks.
  struct Start {
    JobId job = 0;
    BlockRun run;
    bool claim = false;  // claim `run` first, and report the answer
    // End this one before the request is made, and after the claim was granted: it gives up its
    // connection.
    std::optional<JobId> instead_of{};
  };

  explicit FillPolicy(const FillPolicyOptions& options) : options_(options) {}

  // ---- readers

  // A reader that needs all of `run`, in order, and can do nothing else until it has it.
  ReaderId enter(BlockRun run);
  // A reader that can use any of `runs`. The first one, which is not empty, is fetched for it; the
  // rest is fetched when it is wanted.
  ReaderId enter_any(std::span<const BlockRun> runs);
  // Everything before `begin` has been found. For readers of enter().
  void advance(ReaderId reader, std::uint64_t begin);
  void leave(ReaderId reader);
  // Set once a download failed that this reader needs.
  [[nodiscard]] const std::optional<Error>& failure(ReaderId reader) const;
  // The first block that an urgent reader lacks is in `run`.
  [[nodiscard]] bool awaited(BlockRun run) const;
  // What is to be downloaded before anybody needs it, in this order. Replaces what was wanted
  // before. Of a store that drops blocks, only what lies just ahead of the reader is downloaded.
  void want(std::vector<BlockRun> runs);

  // ---- requests, in the order of these calls

  // The next request for this reader; nullopt: nothing can be started for it now.
  [[nodiscard]] std::optional<Start> start_for(ReaderId reader, const World& world);
  // The next request for anybody: for readers first, then for what is wanted.
  [[nodiscard]] std::optional<Start> start_next(const World& world);
  // What the store said to a claim of Start::run. Without `run`, the job is over; otherwise it is
  // what to download. `release` is to be given back.
  struct Claimed {
    std::optional<BlockRun> run{};
    std::vector<BlockRun> release{};
  };
  [[nodiscard]] Claimed claimed(JobId job, Claim claim, const World& world);
  // What the store said when it was asked for room; of a job that was not started, or of none, 0.
  // kGiveUp: a job that was not started is over, and what it claimed is to be released; its blocks
  // are asked for again later. kUseMemory: the same, and blocks go to memory from now on.
  enum class Admission { kGo, kGiveUp, kUseMemory };
  [[nodiscard]] Admission admitted(JobId job, Room room, const World& world);
  // The download is under way.
  void started(JobId job);

  // ---- downloads under way

  // Offsets in the blob: bytes before `position` have come, and those before `kept` were put into
  // the store. `rate`: bytes a second, 0: not known.
  void arrived(JobId job, std::uint64_t position, std::uint64_t kept, double rate);
  // The server sends the whole blob, though a part was asked for.
  void sends_everything(JobId job);
  // What is to happen to downloads under way, one step at a time. kStop: end the download, keep
  // what it has brought. kConvert: the job, which is the only one, goes on to the end of the blob.
  struct Step {
    enum class Kind { kStop, kConvert };
    Kind kind;
    JobId job;
  };
  [[nodiscard]] std::optional<Step> next_step(const World& world) const;
  // What the store said to a claim of the whole blob for kConvert. False: stop the download.
  [[nodiscard]] bool converted(JobId job, Claim claim, const World& world);
  // Whether blocks from `first` on, which a job has brought, may be put into the store without
  // dropping what is to be read before them.
  [[nodiscard]] bool may_keep(std::uint64_t first, const World& world) const;
  // The download is being ended before its time; its connection is free.
  void stopping(JobId job);
  // The job is over. `failed`: and did not bring `rest`, which is an error to those who need that.
  void ended(JobId job);
  void failed(JobId job, BlockRun rest, const Error& error);

  // Some blocks, or the count of the budget, are held by other processes. Ask again soon.
  [[nodiscard]] bool held_up() const { return !others_.empty() || busy_; }
  [[nodiscard]] bool idle() const { return jobs_.empty(); }

  // How long to wait before asking again for what others hold.
  static constexpr auto kLookAgain = std::chrono::milliseconds(3);

 private:
  enum class Stage { kStarting, kDownloading, kStopping };
  struct Job {
    JobId id = 0;
    BlockRun run;
    Stage stage = Stage::kStarting;
    std::uint64_t position = 0;  // bytes; 0: nothing has come
    std::uint64_t kept = 0;      // bytes
    JobId gives_way_to = 0;      // 0: to none
  };
  struct Reader {
    ReaderId id = 0;
    BlockRun run;
    bool urgent = false;
    std::vector<BlockRun> any{};
    std::optional<Error> failure{};
    [[nodiscard]] bool needs(BlockRun blocks) const;
  };
  // Since when the first block that a reader lacks is held by another process.
  struct Refusal {
    Clock::time_point since;
    bool given_up = false;  // it was downloaded here, too
  };

  [[nodiscard]] Reader& reader(ReaderId id);
  [[nodiscard]] const Reader& reader(ReaderId id) const;
  [[nodiscard]] Job* find(JobId id);
  [[nodiscard]] const Job* find(JobId id) const;
  void erase(JobId id);
  [[nodiscard]] std::size_t active() const;
  // Forgets, when it is time to ask again, what others held.
  void look_again(const World& world);
  void note_refusal(BlockRun held, const World& world);
  void forget_refusal(std::uint64_t block, bool came);

  [[nodiscard]] Start place(BlockRun run, bool claim);
  [[nodiscard]] std::optional<Start> plan(BlockRun within, const World& world);
  // For a reader whose first block others have held for too long.
  [[nodiscard]] std::optional<Start> plan_in_vain(const Reader& reader, const World& world);
  // The first run within `within` that is neither there, nor under way, nor held by others.
  [[nodiscard]] BlockRun startable(BlockRun within, const World& world) const;
  // The last download that no urgent reader waits for and that has far to go.
  [[nodiscard]] const Job* idle_job(const World& world) const;
  [[nodiscard]] std::uint64_t longest_request(const World& world) const;  // blocks
  [[nodiscard]] unsigned connections_worth(const World& world) const;
  [[nodiscard]] unsigned limit(const World& world) const;
  // Up to which block a store that drops blocks may be filled.
  [[nodiscard]] std::uint64_t most_ahead(const World& world) const;
  // Whether a download that cannot be cut has passed what a reader lacks.
  [[nodiscard]] bool is_behind(const Reader& reader, std::uint64_t at, const World& world) const;

  const FillPolicyOptions options_;
  std::list<Reader> readers_;
  std::list<Job> jobs_;
  std::deque<BlockRun> wanted_;
  std::uint64_t wanted_blocks_ = 0;  // in all of wanted_, when it was set
  std::uint64_t reader_at_ = 0;      // the block that was last asked for
  std::uint64_t last_id_ = 0;
  std::optional<JobId> everything_;  // the job that the server sends everything to
  bool keep_one_ = false;            // a connection, for readers that come at random
  double rate_ = 0;                  // bytes a second of one connection, lately

  // Other processes.
  std::vector<BlockRun> others_;                 // what they hold,
  bool busy_ = false;                            // and that they hold the count of the budget,
  Clock::time_point look_again_at_{};            // both until then
  std::map<std::uint64_t, Refusal> refusals_;    // by block
  std::optional<Clock::time_point> busy_since_;  // when the budget could last not be looked at
  bool others_stand_still_ = false;  // nothing has come of them since one block was given up
};

}  // namespace shunt::cache
