// Decides which blocks of a blob are downloaded next, in which requests, and which downloads are
// stopped early. It only decides: it has no thread, no clock, no input or output. The Filler asks
// it, carries out its decisions, and reports the results.
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
  unsigned connections = 8;      // maximum
  // How long to wait for a block, or for the count of the budget, that another process holds, while
  // no block comes. After one wait in vain, a twentieth of this, until another process brings a
  // block.
  std::chrono::milliseconds patience = std::chrono::seconds(20);
};

// Not thread-safe: the owner holds a mutex around each call.
class FillPolicy {
 public:
  using Clock = std::chrono::steady_clock;
  using JobId = std::uint64_t;
  using ReaderId = std::uint64_t;

  // Says which blocks are present.
  class Blocks {
   public:
    virtual ~Blocks() = default;
    // Same as BlockStore::next_missing().
    [[nodiscard]] virtual BlockRun next_missing(BlockRun within) const = 0;
  };

  // The state of everything else at the time of a call.
  struct World {
    Clock::time_point now;
    const Blocks& there;
    bool serves_ranges = true;   // the origin does
    double latency = 0;          // of the origin: seconds to the first byte; 0: unknown
    std::uint64_t capacity = 0;  // blocks that the store holds before it drops some; 0: all
    bool shared = true;          // with other processes: blocks must be claimed, and room asked for
  };

  // A request to make. From now on no other request is planned for its blocks.
  struct Start {
    JobId job = 0;
    BlockRun run;
    bool claim = false;  // claim `run` first, and pass the answer to claimed()
    // The job to stop after the claim was granted and before the request is made, to free its
    // connection.
    std::optional<JobId> instead_of{};
  };

  explicit FillPolicy(const FillPolicyOptions& options) : options_(options) {}

  // ---- readers

  // Adds an urgent reader: it needs all of `run`, in order, and is blocked until it has that.
  ReaderId enter(BlockRun run, Clock::time_point now);
  // Adds a reader that can use any of `runs`. The first one that is not empty is fetched for it;
  // the others only if they are wanted.
  ReaderId enter_any(std::span<const BlockRun> runs, Clock::time_point now);
  // Notes that the reader has found all blocks before `begin`. For readers of enter().
  void advance(ReaderId reader, std::uint64_t begin);
  void leave(ReaderId reader);
  // Returns an error once a download that this reader needs has failed.
  [[nodiscard]] const std::optional<Error>& failure(ReaderId reader) const;
  // Returns the first block of `run` that an urgent reader waits for.
  [[nodiscard]] std::optional<std::uint64_t> first_awaited(BlockRun run) const;
  // Sets the blocks to download before a reader needs them, in this order; replaces the previous
  // ones. If the store drops blocks, only those just ahead of the reader are downloaded.
  void want(std::vector<BlockRun> runs);

  // ---- requests, in the order of these calls

  // Returns the next request for this reader; nullopt: none can be started now.
  [[nodiscard]] std::optional<Start> start_for(ReaderId reader, const World& world);
  // Returns the next request: for a reader if possible, otherwise for wanted blocks.
  [[nodiscard]] std::optional<Start> start_next(const World& world);
  // The consequences of a claim: `run` is what to download (if empty, the job is over), and
  // `release` the claims to give back.
  struct Claimed {
    std::optional<BlockRun> run{};
    std::vector<BlockRun> release{};
  };
  // `claim` is the store's answer for Start::run.
  [[nodiscard]] Claimed claimed(JobId job, Claim claim, const World& world);
  // `room` is the store's answer, asked for a job or, if `job` is 0, for none. Unless it is kGo, a
  // job that was not started is over, and its claim must be released; its blocks are requested
  // again later. kUseMemory: blocks also go to memory from now on.
  enum class Admission { kGo, kGiveUp, kUseMemory };
  [[nodiscard]] Admission admitted(JobId job, Room room, const World& world);
  // Notes that the download has started.
  void started(JobId job);

  // ---- running downloads

  // Notes the progress of a job, as offsets in the blob: bytes before `position` have come, and
  // those before `kept` are in the store. `rate` is in bytes a second; 0: unknown.
  void arrived(JobId job, std::uint64_t position, std::uint64_t kept, double rate);
  // Notes that the server sends the whole blob for a request of a part.
  void sends_everything(JobId job);
  // Something to do with a running download. kStop: end it, and keep the blocks that have come.
  // kConvert: the job, which is the only one, continues to the end of the blob.
  struct Step {
    enum class Kind { kStop, kConvert };
    Kind kind;
    JobId job;
  };
  // Returns the next step; nullopt: none now.
  [[nodiscard]] std::optional<Step> next_step(const World& world) const;
  // `claim` is the store's answer for the whole blob, for kConvert. Returns false if the download
  // must be stopped.
  [[nodiscard]] bool converted(JobId job, Claim claim, const World& world);
  // Returns true if blocks from `first` on, which a job has brought, can be put into the store
  // without dropping blocks that will be read before them.
  [[nodiscard]] bool may_keep(std::uint64_t first, const World& world) const;
  // Notes that the download is being stopped early; its connection is free.
  void stopping(JobId job);
  // Notes that the job is over.
  void ended(JobId job);
  // Same, without having brought `rest`: readers that need any of it get the error.
  void failed(JobId job, BlockRun rest, const Error& error);

  // Returns true if other processes hold some blocks, or the count of the budget. Ask again soon.
  [[nodiscard]] bool held_up() const { return !others_.empty() || busy_; }
  [[nodiscard]] bool idle() const { return jobs_.empty(); }

  // A reader that has not asked for so long makes way for one further on, in a store that drops
  // blocks and a download that cannot be made in parts.
  static constexpr auto kReaderHasStopped = std::chrono::milliseconds(500);
  // Interval at which to ask again for what other processes hold.
  static constexpr auto kLookAgain = std::chrono::milliseconds(3);

 private:
  enum class Stage { kStarting, kDownloading, kStopping };
  struct Job {
    JobId id = 0;
    BlockRun run;
    Stage stage = Stage::kStarting;
    std::uint64_t position = 0;  // bytes; 0: nothing has come
    std::uint64_t kept = 0;      // bytes
    JobId gives_way_to = 0;      // the job that gets its connection; 0: none
  };
  struct Reader {
    ReaderId id = 0;
    BlockRun run;
    bool urgent = false;
    std::vector<BlockRun> any{};
    std::optional<Error> failure{};
    [[nodiscard]] bool needs(BlockRun blocks) const;
  };
  // The first block that a reader lacks is held by another process, since this time.
  struct Refusal {
    Clock::time_point since;
    bool given_up = false;  // it was then downloaded here too
  };

  [[nodiscard]] Reader& reader(ReaderId id);
  [[nodiscard]] const Reader& reader(ReaderId id) const;
  [[nodiscard]] Job* find(JobId id);
  [[nodiscard]] const Job* find(JobId id) const;
  void erase(JobId id);
  [[nodiscard]] std::size_t active() const;
  // Forgets what other processes hold, if it is time to ask again.
  void look_again(const World& world);
  void note_refusal(BlockRun held, const World& world);
  void forget_refusal(std::uint64_t block, bool came);

  [[nodiscard]] Start place(BlockRun run, bool claim);
  [[nodiscard]] std::optional<Start> plan(BlockRun within, const World& world);
  // Plans a request for a reader whose first block another process has held for too long.
  [[nodiscard]] std::optional<Start> plan_in_vain(const Reader& reader, const World& world);
  // Returns the first run in `within` that is not present, being downloaded, or held by others.
  [[nodiscard]] BlockRun startable(BlockRun within, const World& world) const;
  // Returns the last download that no urgent reader waits for and that has much left to do.
  [[nodiscard]] const Job* idle_job(const World& world) const;
  [[nodiscard]] std::uint64_t longest_request(const World& world) const;  // blocks
  [[nodiscard]] unsigned connections_worth(const World& world) const;
  [[nodiscard]] unsigned limit(const World& world) const;
  // Returns the block up to which a store that drops blocks may be filled.
  [[nodiscard]] std::uint64_t most_ahead(const World& world) const;
  // Returns true if a download of the whole blob has passed a block that the reader lacks.
  [[nodiscard]] bool is_behind(const Reader& reader, std::uint64_t at, const World& world) const;

  const FillPolicyOptions options_;
  std::list<Reader> readers_;
  std::list<Job> jobs_;
  std::deque<BlockRun> wanted_;
  std::uint64_t wanted_blocks_ = 0;   // number of blocks in wanted_ when it was set
  std::uint64_t reader_at_ = 0;       // the block that was last asked for
  Clock::time_point reader_asked_{};  // when that was
  std::uint64_t last_id_ = 0;
  std::optional<JobId> everything_;  // the job for which the server sends the whole blob
  bool keep_one_ = false;            // keep one connection free, for readers that jump
  double rate_ = 0;                  // bytes a second of one connection, most recent value

  // Other processes.
  std::vector<BlockRun> others_;                 // what they hold
  bool busy_ = false;                            // they hold the count of the budget
  Clock::time_point look_again_at_{};            // when both are forgotten
  std::map<std::uint64_t, Refusal> refusals_;    // by block
  std::optional<Clock::time_point> busy_since_;  // since when the budget is locked
  bool others_stand_still_ = false;              // they have brought no block since a wait in vain
};

}  // namespace shunt::cache
