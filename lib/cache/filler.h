// Downloads the blocks of a blob that readers need, and puts them into its store.
//
// A FillPolicy decides; the Filler carries out its decisions. Four kinds of threads work on it:
// - Readers, in need() and need_any(), start the requests that they need themselves, and put the
//   blocks that they wait for into the store.
// - The starter starts requests that nobody waits for. It may wait for other processes that hold
//   the budget.
// - The mover puts blocks that nobody waits for into the store, ends downloads, and releases what
//   they held.
// - The client's thread brings bytes into a FillJob. It waits for no disk and no other process.
//
// The mutex guards the policy and the jobs. No disk is written, no claim made, and no other process
// waited for while it is held.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/blob/origin.h"
#include "shunt/cache/block_store.h"
#include "shunt/cache/cached_source.h"
#include "shunt/cache/event_count.h"
#include "shunt/cache/fill_job.h"
#include "shunt/cache/fill_policy.h"
#include "shunt/cache/memory_store.h"
#include "shunt/io/thread.h"

namespace shunt::cache {

// Thread-safe. Its two threads are started by the first download.
class Filler {
 public:
  Filler(std::shared_ptr<BlockStore> store, std::shared_ptr<blob::Origin> origin,
         const SourceOptions& options);
  // Stops all downloads; complete blocks that have come are kept. No reader may be in a call.
  ~Filler();
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;

  // Returns true if the block can be read at once.
  [[nodiscard]] bool has(std::uint64_t block) const;
  // Waits until all of `run`, at most half of the store's capacity, can be read.
  Result<void> need(BlockRun run);
  // Waits until blocks of `runs` can be read. Returns some, and the index of their run.
  struct Found {
    std::size_t index = 0;
    BlockRun run;
  };
  Result<Found> need_any(std::span<const BlockRun> runs);
  // Sets the blocks to download before they are needed, in this order; replaces the previous ones.
  // A store that holds few blocks gets only those ahead of the reader.
  void want(std::vector<BlockRun> runs);
  // Stores bytes from offset 0 on that have come with the first answer.
  void take_head(std::span<const std::byte> bytes);

  // Reads bytes of blocks for which has() was true. Returns false if one of them is gone again.
  Result<bool> read(std::uint64_t offset, std::span<std::byte> into);

  // Returns the number of bytes from the origin that were put into the store.
  [[nodiscard]] std::uint64_t bytes_fetched() const { return bytes_fetched_.load(); }
  // Returns true if blocks go to memory because the store takes no more.
  [[nodiscard]] bool overflowing() const { return overflowing_.load(); }

 private:
  using JobId = FillPolicy::JobId;
  using ReaderId = FillPolicy::ReaderId;

  // The store together with the blocks in memory, as the policy sees them.
  class There final : public FillPolicy::Blocks {
   public:
    explicit There(const Filler& filler) : filler_(filler) {}
    [[nodiscard]] BlockRun next_missing(BlockRun within) const override;

   private:
    const Filler& filler_;
  };

  // A job of the policy with its download. The download is destroyed without the mutex, since that
  // waits for a running call of the job.
  struct Running {
    std::shared_ptr<FillJob> job;
    BlockRun run;
    bool claimed = false;                        // `run` must be released
    bool begun = false;                          // the request has been made
    bool has_bytes = false;                      // the first bytes have come
    std::unique_ptr<blob::Download> download{};  // null once it was stopped
  };
  using RunningJobs = std::map<JobId, Running>;

  // One thing for the mover to do.
  struct Task {
    enum class Kind { kNone, kKeep, kStop, kConvert, kClear };
    Kind kind = Kind::kNone;
    JobId id = 0;
    std::shared_ptr<FillJob> job{};
  };

  [[nodiscard]] FillPolicy::World world() const;
  [[nodiscard]] std::uint64_t capacity() const;
  [[nodiscard]] bool look(std::uint64_t block);  // has(), after checking the store
  [[nodiscard]] std::uint64_t missing_blocks(BlockRun within) const;
  [[nodiscard]] bool can_fetch() const { return !options_.offline && origin_ != nullptr; }

  // ---- readers
  // Registers a reader with the policy while it waits.
  class Visit;
  // One turn of a reader that still lacks a block: puts blocks, makes a request, or sleeps. An
  // error ends the wait.
  Result<void> turn(ReaderId reader, std::optional<std::uint64_t> block, std::uint64_t seen);
  Result<Found> await_any(ReaderId reader, std::span<const BlockRun> runs);
  void tell_jobs_who_waits() SHUNT_REQUIRES(mutex_);
  // A job that has brought a block which is not stored yet; `due`: it is time to put it.
  struct InHand {
    JobId id = 0;
    std::shared_ptr<FillJob> job{};
    bool due = false;
  };
  [[nodiscard]] std::optional<InHand> in_hand(std::uint64_t block) SHUNT_REQUIRES(mutex_);

  // ---- requests
  // Makes a request. An error goes to the readers that need its blocks.
  void carry_out(const FillPolicy::Start& start);
  // `claimed` is set to the blocks that must be released if this fails.
  Result<void> try_to_carry_out(const FillPolicy::Start& start, BlockRun& claimed);
  // Asks the store for room for `blocks` blocks, and the policy what follows from the answer. If
  // the result is not kGo, a job that was not started is over.
  [[nodiscard]] FillPolicy::Admission admit(JobId id, std::uint64_t blocks);
  Result<void> start_threads();

  // ---- the starter and the mover
  // Starts with the first event after `seen`.
  Result<void> run_starter(std::uint64_t seen);
  Result<void> run_mover();
  [[nodiscard]] Task next_task();
  void perform(const Task& task);
  void convert(JobId id);
  // Ends the download. The mover then calls clear_up().
  void stop(JobId id);
  void clear_up(JobId id);

  // ---- blocks
  // Puts a batch of the job into the store, if no other thread is doing so.
  void keep(JobId id, FillJob& job);
  static void resume_if_there_is_room(const Running& running) noexcept;
  void put_batch(const Batch& batch);
  void put(std::uint64_t first, std::span<const std::byte> bytes);
  void overflow(const std::string& why) SHUNT_REQUIRES(mutex_);

  const std::shared_ptr<BlockStore> store_;
  const std::shared_ptr<blob::Origin> origin_;
  const SourceOptions options_;
  const There there_{*this};

  EventCount blocks_;         // blocks are there or can be taken, or a wait is over: readers
  EventCount jobs_need_;      // a job needs attention: the mover
  EventCount room_for_more_;  // a request may be possible: the starter
  mutable Mutex mutex_;
  FillPolicy policy_ SHUNT_GUARDED_BY(mutex_);
  RunningJobs jobs_ SHUNT_GUARDED_BY(mutex_);
  bool stopping_ SHUNT_GUARDED_BY(mutex_) = false;
  JobId last_kept_ SHUNT_GUARDED_BY(mutex_) = 0;  // the job of the last batch that the mover put
  io::Thread starter_ SHUNT_GUARDED_BY(mutex_);
  io::Thread mover_ SHUNT_GUARDED_BY(mutex_);

  std::unique_ptr<MemoryStore> overflow_;  // created once, before overflowing_ becomes true
  std::atomic<bool> overflowing_{false};
  std::atomic<std::uint64_t> bytes_fetched_{0};
};

}  // namespace shunt::cache
