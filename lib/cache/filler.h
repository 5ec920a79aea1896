// Turns what readers need of a blob into downloads, and downloads into blocks of its store.
//
// Readers wait in need() and its kin; what nobody waits for yet is asked for with want(). Downloads
// are started from whichever thread finds that one may start, and end on the client's.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/blob/origin.h"
#include "shunt/cache/block_store.h"
#include "shunt/cache/memory_store.h"

namespace shunt::cache {

class FillJob;

inline constexpr auto kAskCancel = std::chrono::milliseconds(100);  // while waiting

struct FillerOptions {
  unsigned connections = 8;             // at most
  bool offline = false;                 // no request is made; the origin may be null
  const CancelToken* cancel = nullptr;  // asked while waiting; may be null
  // How long others may keep a block, or a lock, without anything coming of it; where that was in
  // vain for one block, a twentieth of it for the next, until something comes of others again.
  std::chrono::milliseconds patience = std::chrono::seconds(20);
};

// Thread-safe.
class Filler {
 public:
  Filler(std::shared_ptr<BlockStore> store, std::shared_ptr<blob::Origin> origin,
         const FillerOptions& options);
  ~Filler();  // cancels what is under way
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
  friend class FillJob;
  using Lock = std::unique_lock<std::mutex>;

  struct Waiter {
    BlockRun run;
    bool urgent = false;              // somebody can do nothing else meanwhile
    std::span<const BlockRun> any{};  // of these one will do, `run` being the first
    std::optional<Error> failed{};    // of a download of what it waits for
    [[nodiscard]] bool needs(BlockRun blocks) const;
  };

  struct Plan {
    BlockRun run;
    bool claimed = false;
  };

  // Starts downloads as long as one may start: for the waiters first, then for what is wanted. Lets
  // go of the mutex meanwhile.
  void pump(Lock& lock);
  bool start_next(Lock& lock);
  // Blocks of `within` that nobody has or fetches, and claims them; nullopt when there are none.
  [[nodiscard]] std::optional<Plan> plan(BlockRun within);
  // False when nothing more can be started for now.
  bool carry_out(Lock& lock, const Plan& plan, const std::shared_ptr<FillJob>& instead_of = {});
  // A job that nobody waits for and that can be stopped; null when there is none.
  [[nodiscard]] std::shared_ptr<FillJob> idle_job() const;
  // Ends a job. What has come of it is kept.
  void stop(Lock& lock, const std::shared_ptr<FillJob>& job);
  // Takes a job out that has not been started.
  void take_back(FillJob& job);
  // The first run within `within` that is neither there nor under way.
  [[nodiscard]] BlockRun startable(BlockRun within) const;
  [[nodiscard]] std::uint64_t missing_blocks(BlockRun within) const;
  [[nodiscard]] bool waited_in_vain(std::uint64_t block);
  // How many blocks to ask for at most in one request.
  [[nodiscard]] std::uint64_t longest_request() const;
  [[nodiscard]] unsigned connections_worth() const;
  [[nodiscard]] std::uint64_t capacity() const;
  // Of a store that drops blocks: up to which one it may be filled without dropping what is to be
  // read first.
  [[nodiscard]] std::uint64_t most_ahead() const;
  [[nodiscard]] bool look(std::uint64_t block);  // has(), after checking the store
  // The work of need_any(), which returns with or without the mutex.
  Result<Found> await_any(Lock& lock, const Waiter& me);
  // One waiter's turn: an error, or a sleep until something may have changed.
  Result<void> wait(Lock& lock, const Waiter& waiter);
  // What has come and lies in the hands of downloads that are not going on.
  void take_from_jobs(Lock& lock);
  // What a download that failed has left is nobody's to wait for any more.
  void fail(const Lock& lock, BlockRun rest, const Error& error);

  // From jobs, on the client's thread.
  void put(std::uint64_t first, std::span<const std::byte> bytes);
  Result<void> go_on(FillJob& job);  // an error: the job is to end
  void finished(FillJob& job, Result<void> outcome);
  // The job goes on to the end of the blob, as the only one. An error, as above.
  Result<void> sends_everything(FillJob& job);
  [[nodiscard]] bool awaited(BlockRun run) const;

  // What to do without room for what was claimed; false: nothing for now.
  bool do_without_room(const Lock& lock, Room room);
  void overflow(const Lock& lock, const std::string& why);

  const std::shared_ptr<BlockStore> store_;
  const std::shared_ptr<blob::Origin> origin_;
  const FillerOptions options_;

  mutable std::mutex mutex_;  // guards what follows, but for the atomics
  std::condition_variable changed_;
  std::list<std::shared_ptr<FillJob>> jobs_;
  std::list<Waiter> waiting_;
  std::deque<BlockRun> wanted_;
  std::uint64_t wanted_blocks_ = 0;        // in all of wanted_, when it was set
  std::uint64_t reader_at_ = 0;            // the block that was last asked for
  bool met_others_ = false;                // another process is at what was to be started
  std::uint64_t refused_at_ = UINT64_MAX;  // the block that a reader waits for and others hold,
  std::chrono::steady_clock::time_point refused_since_;  // and since when
  bool refused_given_up_ = false;                        // that block is fetched here, too
  bool others_stand_still_ = false;  // nothing has come of others since one was given up
  std::optional<std::chrono::steady_clock::time_point> busy_since_;  // nobody can tell of room
  unsigned admitting_ = 0;  // threads that ask for room, without the mutex,
  unsigned cutting_ = 0;    // and those that end a job
  bool keep_one_ = false;   // a connection, for readers that come at random
  bool stopping_ = false;
  double rate_ = 0;  // bytes a second of one connection, lately

  std::unique_ptr<MemoryStore> overflow_;  // made once, before overflowing_ is true
  std::atomic<bool> overflowing_{false};
  std::atomic<std::uint64_t> bytes_fetched_{0};
};

}  // namespace shunt::cache
