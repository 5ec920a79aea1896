// Turns what readers need of a blob into downloads, and downloads into blocks of its store.
//
// A FillPolicy decides, and this carries it out. Four kinds of threads meet here:
// - Readers, in need() and need_any(), start the requests that they need themselves, and put the
//   blocks that they wait for into the store.
// - The starter starts what nobody waits for. It may wait for other processes that hold the budget.
// - The mover puts into the store what nobody waits for, ends downloads, and clears up behind them.
// - The client's thread brings bytes into a FillJob. It waits for no disk and no other process.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/blob/origin.h"
#include "shunt/cache/block_store.h"
#include "shunt/cache/event_count.h"
#include "shunt/cache/fill_job.h"
#include "shunt/cache/fill_policy.h"
#include "shunt/cache/memory_store.h"
#include "shunt/io/thread.h"

namespace shunt::cache {

struct FillerOptions {
  unsigned connections = 8;             // at most
  bool offline = false;                 // no request is made; the origin may be null
  const CancelToken* cancel = nullptr;  // asked while waiting; may be null
  // As FillPolicyOptions::patience.
  std::chrono::milliseconds patience = std::chrono::seconds(20);
};

// Thread-safe. Its two threads are started with its first download.
class Filler {
 public:
  Filler(std::shared_ptr<BlockStore> store, std::shared_ptr<blob::Origin> origin,
         const FillerOptions& options);
  // Ends what is under way; whole blocks that have come are kept. No reader is in a call any more.
  ~Filler();
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;

  // Whether the block can be read at once.
  [[nodiscard]] bool has(std::uint64_t block) const;
  // Waits until all of `run` can be read, which must not be more than half of a store's capacity.
  Result<void> need(BlockRun run);
  // Waits until some of `runs` can be read; returns which, and in which of them.
  struct Found {
    std::size_t index = 0;
    BlockRun run;
  };
  Result<Found> need_any(std::span<const BlockRun> runs);
  // What is worth downloading before it is asked for, in this order; replaces what was wanted
  // before. A store that holds few blocks gets what lies ahead of the reader only.
  void want(std::vector<BlockRun> runs);
  // Takes up a head start: bytes from 0 on that have come with the first answer.
  void take_head(std::span<const std::byte> bytes);

  // Reads bytes of blocks that has() was true for; false when one of them is gone again.
  Result<bool> read(std::uint64_t offset, std::span<std::byte> into);

  // Bytes that came from the origin and were put into the store.
  [[nodiscard]] std::uint64_t bytes_fetched() const { return bytes_fetched_.load(); }
  // Whether blocks go to memory because the store takes no more.
  [[nodiscard]] bool overflowing() const { return overflowing_.load(); }

 private:
  using JobId = FillPolicy::JobId;
  using ReaderId = FillPolicy::ReaderId;

  // The store and what has overflowed from it, as the policy sees them.
  class There final : public FillPolicy::Blocks {
   public:
    explicit There(const Filler& filler) : filler_(filler) {}
    [[nodiscard]] BlockRun next_missing(BlockRun within) const override;

   private:
    const Filler& filler_;
  };

  // A job of the policy with its download. The download is destroyed without the mutex: a call of
  // the job may just be running.
  struct Running {
    std::shared_ptr<FillJob> job;
    BlockRun run;
    bool claimed = false;                        // `run` is to be released
    bool begun = false;                          // whoever has started it is done with that
    bool has_bytes = false;                      // the first ones have come
    std::unique_ptr<blob::Download> download{};  // null once it was ended
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
  // A reader, from its first look to its last.
  class Visit;
  // One turn of a reader that has not found what it needs: does something for it, or sleeps. An
  // error: its wait is over.
  Result<void> turn(ReaderId reader, std::optional<std::uint64_t> block, std::uint64_t seen);
  Result<Found> await_any(ReaderId reader, std::span<const BlockRun> runs);
  void tell_jobs_who_waits() SHUNT_REQUIRES(mutex_);
  // The job that has brought this block, if it is time to put it; `in_hand`: there is such a job.
  [[nodiscard]] std::shared_ptr<FillJob> job_with(std::uint64_t block, bool& in_hand)
      SHUNT_REQUIRES(mutex_);

  // ---- requests
  // Makes a request. Every error is told to those who need its blocks.
  void carry_out(const FillPolicy::Start& start);
  // `claimed` is what is to be released when this fails.
  Result<void> try_to_carry_out(const FillPolicy::Start& start, BlockRun& claimed);
  // Asks for room for what `run` lacks. The job is given up when the answer is not kGo.
  [[nodiscard]] FillPolicy::Admission admit(JobId id, std::uint64_t blocks);
  Result<void> start_threads();

  // ---- the starter and the mover
  // From the first event after `seen` on.
  Result<void> run_starter(std::uint64_t seen);
  Result<void> run_mover();
  [[nodiscard]] Task next_task();
  void perform(const Task& task);
  void convert(JobId id);
  // Ends the download. The mover clears up behind it.
  void stop(JobId id);
  void clear_up(JobId id);

  // ---- blocks
  void keep(FillJob& job);
  void put_batch(const Batch& batch);
  void put(std::uint64_t first, std::span<const std::byte> bytes);
  void overflow(const std::string& why) SHUNT_REQUIRES(mutex_);

  const std::shared_ptr<BlockStore> store_;
  const std::shared_ptr<blob::Origin> origin_;
  const FillerOptions options_;
  const There there_{*this};

  EventCount events_;         // blocks are there, or a job needs something: readers, the mover
  EventCount room_for_more_;  // a request may be started: the starter
  mutable Mutex mutex_;
  FillPolicy policy_ SHUNT_GUARDED_BY(mutex_);
  RunningJobs jobs_ SHUNT_GUARDED_BY(mutex_);
  bool stopping_ SHUNT_GUARDED_BY(mutex_) = false;
  bool threads_run_ SHUNT_GUARDED_BY(mutex_) = false;
  io::Thread starter_ SHUNT_GUARDED_BY(mutex_);
  io::Thread mover_ SHUNT_GUARDED_BY(mutex_);

  std::unique_ptr<MemoryStore> overflow_;  // made once, before overflowing_ is true
  std::atomic<bool> overflowing_{false};
  std::atomic<std::uint64_t> bytes_fetched_{0};
};

}  // namespace shunt::cache
