// One download on its way into blocks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/blob/origin.h"
#include "shunt/cache/block_store.h"

namespace shunt::cache {

class Filler;

// Receives on the client's thread; readers may ask at any time for what has come. `run`, `download`
// and `cut` are guarded by the Filler's mutex, which is never held when a method is called but for
// those that are const.
class FillJob final : public blob::Receiver {
 public:
  FillJob(Filler& filler, BlockRun blocks);

  Result<void> receive(std::uint64_t offset, std::span<const std::byte> bytes) override;
  void finished(Result<void> outcome) override;

  BlockRun run;          // what it has claimed
  bool claimed = false;  // whether `run` is to be released
  std::unique_ptr<blob::Download> download;
  bool cut = false;  // ended by the Filler, which is no failure

  // Hands on the whole blocks that have come. Not from within a call of receive().
  void keep();
  // The blocks that have not come whole.
  [[nodiscard]] BlockRun rest() const;
  // Of the bytes since the first one; 0 when they were too few to tell.
  [[nodiscard]] double rate() const;
  [[nodiscard]] std::uint64_t position() const { return position_.load(); }
  // Whether the whole block has come and is not handed on.
  [[nodiscard]] bool holds(std::uint64_t block) const;
  // Hands on what should have been by now, if the server had gone on sending.
  void keep_if_due();

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::uint64_t most_in_hand() const;  // bytes
  // These two want buffer_mutex_.
  [[nodiscard]] bool due() const;
  void flush();

  Filler& filler_;
  std::mutex buffer_mutex_;  // taken before the Filler's; guards what follows, but for the atomics
  std::vector<std::byte> buffer_;  // bytes from buffer_at_ on, a block's start
  std::atomic<std::uint64_t> buffer_at_{0};
  std::atomic<std::uint64_t> position_{0};
  std::uint64_t received_ = 0;
  bool started_ = false;
  bool everything_ = false;  // the server sends all of the blob, wanted or not
  Clock::time_point first_byte_;
  Clock::time_point last_flush_;
};

}  // namespace shunt::cache
