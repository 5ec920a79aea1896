// One download that is being turned into blocks: the bytes that have come and are not stored yet.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "shunt/base/byte_range.h"
#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/blob/download.h"
#include "shunt/cache/block_store.h"
#include "shunt/cache/event_count.h"

namespace shunt::cache {

// Complete blocks of a download. The bytes are valid until FillJob::give_back().
struct Batch {
  std::uint64_t first = 0;  // block number
  std::span<const std::byte> bytes;
};

// The client's thread adds bytes and never waits: if there is no room for more, it is told to pause
// the download. Other threads take blocks out, one thread at a time.
class FillJob final : public blob::Receiver {
 public:
  using Clock = std::chrono::steady_clock;

  struct Shape {
    std::uint64_t size = 0;        // of the blob, in bytes
    std::uint64_t block_size = 0;  // bytes
    std::uint64_t buffer = 0;      // bytes; a multiple of block_size; grows for a larger piece
  };
  // `mover` is told whenever the job needs attention, and `readers` when a reader that waits for it
  // can take a batch; both outlive the job. `awaited`: a reader is blocked until it gets one of
  // these blocks.
  FillJob(const Shape& shape, BlockRun blocks, std::optional<std::uint64_t> awaited,
          EventCount& mover, EventCount& readers);

  // ---- blob::Receiver, on the client's thread
  std::uint64_t room(std::uint64_t offset, std::uint64_t wanted) override;
  Result<void> receive(std::uint64_t offset, std::span<const std::byte> bytes) override;
  void finished(Result<void> outcome) override;

  // ---- thread-safe

  // Takes out the complete blocks that have come; the last block of the blob may be shorter.
  // Returns nullopt if there are none, or if another thread has a batch. Each batch must be
  // followed by give_back().
  [[nodiscard]] std::optional<Batch> take();
  void give_back();
  // Returns true if a batch is worth taking: there are many bytes, or they have been there for
  // long, or the job is over. With `awaited`, for a reader that waits for one of its blocks, one
  // block may be enough.
  [[nodiscard]] bool is_due(Clock::time_point now, bool awaited) const;
  // Returns true if all of the block has come and is not stored yet.
  [[nodiscard]] bool holds(std::uint64_t block) const;
  // Sets the first block that a reader waits for. The readers are told when it has come.
  void set_awaited(std::optional<std::uint64_t> block);

  struct State {
    std::uint64_t position = 0;     // offset of the next byte to come; 0: nothing has come
    std::uint64_t kept = 0;         // offset of the first byte that is not stored yet
    double rate = 0;                // bytes a second since the first byte; 0: unknown yet
    bool over = false;              // no more bytes will come
    bool nothing_left = true;       // all complete blocks were stored; no thread has a batch
    bool sends_everything = false;  // the server sends the whole blob; paused until
                                    // extend() or the end of the download
  };
  [[nodiscard]] State state() const;
  // Returns true if the client was told to pause and there is room now; at intervals, until it asks
  // for room again.
  [[nodiscard]] bool may_resume(Clock::time_point now);

  // Marks it as stopped early, which is not a failure.
  void stopped();
  // Extends the job to `blocks`. The client may continue.
  void extend(BlockRun blocks);
  // Returns how it ended. Success: it has brought all of its blocks, or it was stopped.
  [[nodiscard]] Result<void> outcome() const;
  // Returns the blocks that have not come completely.
  [[nodiscard]] BlockRun rest() const;

 private:
  // The bytes of its blocks.
  [[nodiscard]] ByteRange expected() const SHUNT_REQUIRES(mutex_);
  // Bytes that have come and are not stored yet, and those of them that make complete blocks.
  [[nodiscard]] std::uint64_t in_hand() const SHUNT_REQUIRES(mutex_) { return position_ - kept_; }
  [[nodiscard]] std::uint64_t whole_in_hand() const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] bool due(Clock::time_point now, bool awaited) const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] bool has_come(std::uint64_t block) const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] bool due_to_readers(Clock::time_point now) const SHUNT_REQUIRES(mutex_) {
    return awaited_ && has_come(*awaited_) && due(now, true);
  }
  // Returns how many bytes can come; more than that if a piece of `wanted` bytes has to be taken.
  [[nodiscard]] std::uint64_t free_for(std::uint64_t wanted) const SHUNT_REQUIRES(mutex_);
  // Returns where the byte at `offset` of the blob lies in the ring, up to the ring's end.
  [[nodiscard]] std::span<std::byte> place_of(std::uint64_t offset) SHUNT_REQUIRES(mutex_);
  void grow(std::uint64_t bytes) SHUNT_REQUIRES(mutex_);
  void copy_in(std::span<const std::byte> bytes) SHUNT_REQUIRES(mutex_);

  const Shape shape_;
  EventCount& mover_;
  EventCount& readers_;
  mutable Mutex mutex_;  // held no longer than it takes to copy bytes
  BlockRun run_ SHUNT_GUARDED_BY(mutex_);
  // A ring buffer, of which offset % size is the place of a byte of the blob, so that no block lies
  // across its end. The thread that has a batch reads its bytes without the mutex.
  std::unique_ptr<std::byte[]> ring_ SHUNT_GUARDED_BY(mutex_);
  std::uint64_t ring_size_ SHUNT_GUARDED_BY(mutex_);
  std::uint64_t kept_ SHUNT_GUARDED_BY(mutex_) = 0;      // offset of the start of a block
  std::uint64_t position_ SHUNT_GUARDED_BY(mutex_) = 0;  // offset of the next byte to come
  std::uint64_t batch_ SHUNT_GUARDED_BY(mutex_) = 0;     // bytes from kept_ on that a thread has
  std::uint64_t received_ SHUNT_GUARDED_BY(mutex_) = 0;
  bool begun_ SHUNT_GUARDED_BY(mutex_) = false;
  std::optional<std::uint64_t> awaited_ SHUNT_GUARDED_BY(mutex_);  // block
  bool held_ SHUNT_GUARDED_BY(mutex_) = false;                     // the client was told to pause
  std::uint64_t held_bytes_ SHUNT_GUARDED_BY(mutex_) = 0;          // that it has asked for
  Clock::time_point resumed_ SHUNT_GUARDED_BY(mutex_);      // when may_resume() was last true
  bool wants_everything_ SHUNT_GUARDED_BY(mutex_) = false;  // the server sends more than the job
  bool over_ SHUNT_GUARDED_BY(mutex_) = false;
  bool stopped_ SHUNT_GUARDED_BY(mutex_) = false;
  Result<void> outcome_ SHUNT_GUARDED_BY(mutex_);
  Clock::time_point first_byte_ SHUNT_GUARDED_BY(mutex_);
  Clock::time_point last_batch_ SHUNT_GUARDED_BY(mutex_);
};

}  // namespace shunt::cache
