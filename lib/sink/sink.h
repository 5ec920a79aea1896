// A disk that can be written anywhere and leaves as a stream.
//
// Clients see a disk of zeros and write to it. As the commit policy lets bytes go, a thread of the
// Sink's own sends them, in order, each once. What has been let go can no longer be changed; a
// request that would is refused, and then the stream is not the disk that the client meant: each
// failure, of a request or of the output, stays, is the answer to all that follows, and is what
// finish() returns.
//
// No callback is made with a lock held: each may call any function of the Sink but finish(),
// abandon() and the destructor, which wait for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/io/sha256.h"
#include "shunt/io/thread.h"
#include "shunt/sink/content_end.h"
#include "shunt/sink/frontier.h"
#include "shunt/sink/held_blocks.h"
#include "shunt/streams/stream_writer.h"

namespace shunt::sink {

struct Options {
  std::uint64_t size = 0;  // of the disk, in bytes; at most INT64_MAX
  CommitPolicy policy = CommitPolicy::kAuto;
  std::uint64_t window = std::uint64_t{1} << 20;   // how far before the frontier may be changed
  std::uint64_t read_window = 0;                   // how far before what was sent may be read
  std::uint64_t memory = std::uint64_t{64} << 20;  // for what is held; besides, kBacklog
  std::string spill;                               // a folder for what is more; empty: none
  streams::Zeros zeros = streams::Zeros::kWritten;
  bool truncate = false;  // the stream ends where the image does (sink/content_end.h)
  bool digest = false;    // SHA-256 of the stream
  // Clients are offered what a run under kWindow offers, whatever the policy (sink/advice.h).
  bool offer_as_window = false;
};

struct Summary {
  std::uint64_t bytes_in = 0;        // of data, that clients wrote
  std::uint64_t bytes_out = 0;       // of the stream
  std::uint64_t zero_bytes = 0;      // of these: zeros that were not held
  std::uint64_t peak_held = 0;       // the most that was held at once, in memory and in the file
  std::uint64_t spilled = 0;         // moved to the file
  std::uint64_t window_needed = 0;   // the smallest window with which kWindow refuses nothing
  std::uint64_t read_back = 0;       // the smallest window that would have kept what was read
  std::uint64_t peak_unspilled = 0;  // the most memory that would have been held without spilling
  bool left_early = false;           // bytes left before the end
  bool streamed = false;             // the policy let bytes go until the end
  std::string digest;  // "sha256:…"; empty: not asked for, or the stream is not whole
};

// All functions may be called from any thread, finish() and abandon() from one.
//
// The Sink's own thread owns the way out (the writer, the digest) and whatever it has pinned of the
// blocks. Everything else is shared, under the mutex, which the thread lets go of while it writes.
class Sink {
 public:
  // Bytes that were let go and are not sent: above this, ready() is false. It is so too while some
  // of what fills the memory is on its way out and there is no folder for more.
  static constexpr std::uint64_t kBacklog = std::uint64_t{4} << 20;

  // `out` is not owned; nobody else writes to it. Options that make no sense are kUsage; a file
  // that cannot become as large as the disk is EFBIG.
  static Result<std::unique_ptr<Sink>> start(io::File& out, Options options);
  ~Sink();  // as abandon()
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  [[nodiscard]] std::uint64_t size() const { return options_.size; }
  [[nodiscard]] const Options& options() const { return options_; }

  // Ranges lie within the disk. EPERM: bytes of it have left; ENOSPC: no room to hold it; whatever
  // the output failed with.
  Result<void> may_write(ByteRange range);
  Result<void> write(std::uint64_t offset, std::span<const std::byte> data);
  Result<void> zero(ByteRange range);
  Result<void> trim(ByteRange range);  // what has left stays as it is
  // Bytes that have left and are out of the read window are a kFailed error, which does not stay.
  Result<void> read(std::uint64_t offset, std::span<std::byte> into);

  struct Extent {
    std::uint64_t size = 0;
    bool zeros = false;
  };
  // The extents at the beginning of `range`, `most` at the most.
  [[nodiscard]] std::vector<Extent> extents(ByteRange range, std::size_t most);

  // Where the output has to be for all that may leave now to be sent.
  [[nodiscard]] std::uint64_t released();
  // Whether everything before `position` is sent; or the failure that stays.
  Result<bool> is_sent(std::uint64_t position);
  // False: `give_up`, which is asked ten times a second, said so.
  Result<bool> wait_until_sent(std::uint64_t position, const std::function<bool()>& give_up = {});

  // Whether the consumer keeps up. Who writes on in spite of false holds more memory.
  [[nodiscard]] bool ready();
  Result<bool> wait_until_ready(const std::function<bool()>& give_up = {});
  // Called from the Sink's thread whenever ready() or is_sent() may have become true, or a failure
  // came. Empty: not any more; then, but for a call of the callback's own, none is under way when
  // this returns.
  void on_progress(std::function<void()> call);

  // Looks whether the reader of a pipe has gone, which otherwise the next write would show.
  Result<void> check_reader();

  // Sends the rest, and waits until the consumer has it. `give_up` is asked ten times a second, by
  // the thread that called; when it says so the rest is not sent (kInterrupted).
  Result<void> finish(const std::function<bool()>& give_up = {});
  // Sends nothing more.
  void abandon();

  [[nodiscard]] Summary summary();

 private:
  Sink(io::File& out, Options options);

  Result<void> check(ByteRange range) SHUNT_REQUIRES(mutex_);
  Error fail(Error error) SHUNT_REQUIRES(mutex_);
  [[nodiscard]] bool has_room() const SHUNT_REQUIRES(mutex_);
  void let_go() SHUNT_REQUIRES(mutex_);
  // These let go of the mutex meanwhile.
  template <typename Done>
  bool wait(const Done& done, const std::function<bool()>& give_up) SHUNT_REQUIRES(mutex_);
  void send_all() SHUNT_REQUIRES(mutex_);
  void tell_progress() SHUNT_REQUIRES(mutex_);
  void wait_for_work() SHUNT_REQUIRES(mutex_);

  // Of the thread. `file` is where spilled blocks lie; `the_rest`: the disk has ended, and blocks
  // stay until the Sink goes.
  Result<void> send(const HeldBlocks::Run& run, const io::File& file, bool the_rest)
      SHUNT_EXCLUDES(mutex_);
  Result<void> send_from_file(const io::File& file, ByteRange range, bool the_rest)
      SHUNT_EXCLUDES(mutex_);
  void hash_zeros(std::uint64_t count);

  const Options options_;
  CancelToken stop_output_;
  streams::StreamWriter out_;         // of the thread; others only look for its reader
  std::optional<io::Sha256> sha256_;  // of the thread, until done_

  Mutex mutex_;
  ConditionVariable to_thread_;
  ConditionVariable from_thread_;
  HeldBlocks blocks_ SHUNT_GUARDED_BY(mutex_);
  Frontier frontier_ SHUNT_GUARDED_BY(mutex_);
  ContentEnd content_ SHUNT_GUARDED_BY(mutex_);
  std::uint64_t released_ SHUNT_GUARDED_BY(mutex_) = 0;
  std::uint64_t sent_ SHUNT_GUARDED_BY(mutex_) = 0;
  bool last_ SHUNT_GUARDED_BY(mutex_) = false;  // released_ is the end of the stream
  bool done_ SHUNT_GUARDED_BY(mutex_) = false;  // the thread has ended
  // What released_ has to reach to wake the thread.
  std::uint64_t wakes_at_ SHUNT_GUARDED_BY(mutex_) = UINT64_MAX;
  std::optional<Error> failure_ SHUNT_GUARDED_BY(mutex_);
  std::function<void()> on_progress_ SHUNT_GUARDED_BY(mutex_);
  bool telling_ SHUNT_GUARDED_BY(mutex_) = false;  // the thread calls it
  Summary summary_ SHUNT_GUARDED_BY(mutex_);
  io::Thread thread_;  // of whoever starts the Sink, and ends it
};

}  // namespace shunt::sink
