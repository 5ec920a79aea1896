// A disk that can be written at any offset and leaves as a stream.
//
// Clients see a disk of zeros and write to it. As the commit policy releases bytes, the Sink's own
// thread sends them in order, each once. A released byte cannot be changed any more; a request that
// would change it is refused. Any failure, of a request or of the output, is permanent, because the
// stream is then not the disk that the client meant: every later call returns it, and so does
// finish().
//
// No callback is made with a lock held. A callback may call any function of the Sink except
// finish(), abandon() and the destructor, which wait for it.
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
  std::uint64_t window = std::uint64_t{1} << 20;  // bytes before the frontier that may still change
  std::uint64_t read_window = 0;                  // bytes before what was sent that may be read
  std::uint64_t memory = std::uint64_t{64} << 20;  // bytes for held blocks; kBacklog comes on top
  std::string spill;  // folder for blocks that exceed `memory`; empty: none
  streams::Zeros zeros = streams::Zeros::kWritten;
  bool truncate = false;  // end the stream where the image ends (sink/content_end.h)
  bool digest = false;    // compute the SHA-256 of the stream
  // Offer clients the same features as a run under kWindow, whatever the policy (sink/advice.h).
  bool offer_as_window = false;
};

// All numbers are in bytes.
struct Summary {
  std::uint64_t bytes_in = 0;        // data that clients wrote
  std::uint64_t bytes_out = 0;       // sent to the stream
  std::uint64_t zero_bytes = 0;      // of bytes_out, zeros that were not held
  std::uint64_t peak_held = 0;       // most that was held at once, in memory and file
  std::uint64_t spilled = 0;         // moved to the file
  std::uint64_t window_needed = 0;   // smallest window with which kWindow refuses nothing
  std::uint64_t read_back = 0;       // smallest window that would have held all that was read
  std::uint64_t peak_unspilled = 0;  // most memory that would have been held without spilling
  bool left_early = false;           // bytes left before the end
  bool streamed = false;             // the policy released bytes until the end
  std::string digest;  // "sha256:…"; empty if not asked for, or if the stream is incomplete
};

// Thread-safe. finish() and abandon() are called by one thread.
//
// The Sink's own thread owns the output (the writer, the digest) and the blocks that it has pinned.
// Everything else is shared and guarded by the mutex, which the thread releases while it writes.
class Sink {
 public:
  // While more than this many released bytes are unsent, ready() is false. It is also false while
  // blocks that fill the memory are on their way out and there is no spill folder.
  static constexpr std::uint64_t kBacklog = std::uint64_t{4} << 20;

  // `out` is not owned, outlives the Sink and has no other writer. Returns kUsage for invalid
  // options, and EFBIG if `out` is a file that cannot become as large as the disk.
  static Result<std::unique_ptr<Sink>> start(io::File& out, Options options);
  ~Sink();  // same as abandon()
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  [[nodiscard]] std::uint64_t size() const { return options_.size; }
  [[nodiscard]] const Options& options() const { return options_; }

  // Ranges lie within the disk. EPERM: some of the bytes have left. ENOSPC: no room to hold the
  // data. Otherwise the error of the output.
  Result<void> may_write(ByteRange range);
  Result<void> write(std::uint64_t offset, std::span<const std::byte> data);
  Result<void> zero(ByteRange range);
  Result<void> trim(ByteRange range);  // bytes that have left stay as they are
  // Returns kFailed, which is not permanent, for bytes that have left and are outside the read
  // window.
  Result<void> read(std::uint64_t offset, std::span<std::byte> into);

  struct Extent {
    std::uint64_t size = 0;
    bool zeros = false;
  };
  // Returns the extents at the begin of `range`, at most `most` of them.
  [[nodiscard]] std::vector<Extent> extents(ByteRange range, std::size_t most);

  // Releases what the policy permits and returns the offset up to which it will be sent.
  [[nodiscard]] std::uint64_t released();
  // Returns true if everything before `position` is sent, or the permanent failure.
  Result<bool> is_sent(std::uint64_t position);
  // Waits for is_sent(). Returns false if `give_up`, which is called ten times a second, returns
  // true.
  Result<bool> wait_until_sent(std::uint64_t position, const std::function<bool()>& give_up = {});

  // Returns true if the consumer keeps up. Writing while it is false takes more memory.
  [[nodiscard]] bool ready();
  Result<bool> wait_until_ready(const std::function<bool()>& give_up = {});
  // Sets a callback that the Sink's thread makes whenever ready() or is_sent() may have become
  // true, or a failure occurred. An empty one removes it. On return no call of the old one is
  // running, except the one that this is called from.
  void on_progress(std::function<void()> call);

  // Looks whether the reader of a pipe is gone, before the next write would show it.
  Result<void> check_reader();

  // Sends the rest and waits until the consumer has taken it. `give_up` is called ten times a
  // second on the calling thread; if it returns true the rest is not sent (kInterrupted).
  Result<void> finish(const std::function<bool()>& give_up = {});
  // Stops sending.
  void abandon();

  [[nodiscard]] Summary summary();

 private:
  Sink(io::File& out, Options options);

  Result<void> check(ByteRange range) SHUNT_REQUIRES(mutex_);
  Error fail(Error error) SHUNT_REQUIRES(mutex_);
  [[nodiscard]] bool has_room() const SHUNT_REQUIRES(mutex_);
  void let_go() SHUNT_REQUIRES(mutex_);
  // These release the mutex for a while.
  template <typename Done>
  bool wait(const Done& done, const std::function<bool()>& give_up) SHUNT_REQUIRES(mutex_);
  void send_all() SHUNT_REQUIRES(mutex_);
  void tell_progress() SHUNT_REQUIRES(mutex_);
  void wait_for_work() SHUNT_REQUIRES(mutex_);

  // Called by the thread. `file` holds the spilled blocks. `the_rest`: the disk is complete; blocks
  // are kept until the Sink goes.
  Result<void> send(const HeldBlocks::Run& run, const io::File& file, bool the_rest)
      SHUNT_EXCLUDES(mutex_);
  Result<void> send_from_file(const io::File& file, ByteRange range, bool the_rest)
      SHUNT_EXCLUDES(mutex_);
  void hash_zeros(std::uint64_t count);

  const Options options_;
  CancelToken stop_output_;
  streams::StreamWriter out_;         // used by the thread; others only check for its reader
  std::optional<io::Sha256> sha256_;  // used by the thread only, until done_

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
  // Value of released_ that wakes the thread.
  std::uint64_t wakes_at_ SHUNT_GUARDED_BY(mutex_) = UINT64_MAX;
  std::optional<Error> failure_ SHUNT_GUARDED_BY(mutex_);
  std::function<void()> on_progress_ SHUNT_GUARDED_BY(mutex_);
  bool telling_ SHUNT_GUARDED_BY(mutex_) = false;  // the thread is in on_progress_
  Summary summary_ SHUNT_GUARDED_BY(mutex_);
  io::Thread thread_;  // used by whoever starts and ends the Sink
};

}  // namespace shunt::sink
