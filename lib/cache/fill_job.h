// One download on its way into blocks: what has come of it and was not put into the store yet.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/blob/download.h"
#include "shunt/cache/block_store.h"
#include "shunt/cache/event_count.h"

namespace shunt::cache {

// Whole blocks of a download. Their bytes stay where they are until Batch::done.
struct Batch {
  std::uint64_t first = 0;  // block
  std::span<const std::byte> bytes;
};

// The client's thread brings bytes and waits for nobody: where there is no room for more, it is
// told to come again. Any other thread takes blocks out, one thread at a time.
class FillJob final : public blob::Receiver {
 public:
  using Clock = std::chrono::steady_clock;

  struct Shape {
    std::uint64_t size = 0;        // of the blob, in bytes
    std::uint64_t block_size = 0;  // bytes
    // Bytes that it holds at most, unless a single piece has more; and as many in a batch.
    std::uint64_t most_in_hand = 0;
  };
  // `events` hears of what has to be looked at; it outlives the job. `awaited`: somebody waits for
  // these blocks and can do nothing else.
  FillJob(const Shape& shape, BlockRun blocks, bool awaited, EventCount& events);

  // ---- blob::Receiver, on the client's thread
  bool ready(std::uint64_t offset, std::size_t bytes) override;
  Result<void> receive(std::uint64_t offset, std::span<const std::byte> bytes) override;
  void finished(Result<void> outcome) override;

  // ---- from any thread

  // What has come and was not taken out: whole blocks, or the end of the blob. nullopt: there is
  // nothing, or another thread has a batch. After each batch, give_back().
  [[nodiscard]] std::optional<Batch> take();
  void give_back();
  // Whether a batch is worth taking: there is much in hand, or it has lain there for long, or the
  // job is over; with `awaited`, for somebody who waits for one of its blocks, any block.
  [[nodiscard]] bool is_due(Clock::time_point now, bool awaited) const;
  // The whole block has come and was not put into the store yet.
  [[nodiscard]] bool holds(std::uint64_t block) const;
  // From now on the caller waits for blocks of this job, or nobody does: how soon events are told.
  void set_awaited(bool awaited);

  struct State {
    std::uint64_t position = 0;     // offset of the next byte to come; 0: nothing has come
    std::uint64_t kept = 0;         // offset of what is in hand
    double rate = 0;                // bytes a second since the first one; 0: too few to tell
    bool over = false;              // no byte comes any more
    bool in_use = false;            // another thread has a batch
    bool sends_everything = false;  // it waits to be told to go on to the end of the blob
  };
  [[nodiscard]] State state() const;
  // True once, when the client was told to come again and there is room now.
  [[nodiscard]] bool may_resume();

  // It was ended before its time, which is no failure.
  void stopped();
  // It brings the whole blob. The client may go on.
  void go_on_to_the_end();
  // How it ended. Success: it has brought all of its blocks, or it was stopped.
  [[nodiscard]] Result<void> outcome() const;
  // The blocks that have not come whole.
  [[nodiscard]] BlockRun rest() const;

 private:
  [[nodiscard]] bool within(std::uint64_t offset, std::uint64_t bytes) const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] std::uint64_t whole_in_hand() const SHUNT_REQUIRES(mutex_);  // bytes
  [[nodiscard]] bool due(Clock::time_point now, bool awaited) const SHUNT_REQUIRES(mutex_);
  [[nodiscard]] bool has_room(std::uint64_t bytes) const SHUNT_REQUIRES(mutex_);

  const Shape shape_;
  EventCount& events_;
  mutable Mutex mutex_;  // held for a copy of bytes at most
  BlockRun run_ SHUNT_GUARDED_BY(mutex_);
  // Bytes from coming_at_ on, which is the start of a block.
  std::vector<std::byte> coming_ SHUNT_GUARDED_BY(mutex_);
  std::uint64_t coming_at_ SHUNT_GUARDED_BY(mutex_) = 0;
  std::vector<std::byte> leaving_ SHUNT_GUARDED_BY(mutex_);  // of the batch that a thread has
  bool in_use_ SHUNT_GUARDED_BY(mutex_) = false;
  std::uint64_t position_ SHUNT_GUARDED_BY(mutex_) = 0;
  std::uint64_t received_ SHUNT_GUARDED_BY(mutex_) = 0;
  bool begun_ SHUNT_GUARDED_BY(mutex_) = false;
  bool awaited_ SHUNT_GUARDED_BY(mutex_) = false;
  bool held_ SHUNT_GUARDED_BY(mutex_) = false;              // the client was told to come again
  std::uint64_t held_bytes_ SHUNT_GUARDED_BY(mutex_) = 0;   // with so many
  bool everything_ SHUNT_GUARDED_BY(mutex_) = false;        // the server sends all of the blob
  bool wants_everything_ SHUNT_GUARDED_BY(mutex_) = false;  // the same, and nobody has agreed yet
  bool over_ SHUNT_GUARDED_BY(mutex_) = false;
  bool stopped_ SHUNT_GUARDED_BY(mutex_) = false;
  Result<void> outcome_ SHUNT_GUARDED_BY(mutex_);
  Clock::time_point first_byte_ SHUNT_GUARDED_BY(mutex_);
  Clock::time_point last_batch_ SHUNT_GUARDED_BY(mutex_);
};

}  // namespace shunt::cache
