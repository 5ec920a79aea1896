#include "sink/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace shunt::sink {
namespace {

constexpr std::uint64_t kMostZeros = std::uint64_t{1} << 30;  // sent without a look at the lock
constexpr std::size_t kFileBuffer = std::size_t{1} << 20;

Error has_left(ByteRange range, std::uint64_t released, CommitPolicy policy) {
  Error error = system_error(EPERM, "", "write");
  error.code = ErrorCode::kFailed;
  error.reason =
      policy == CommitPolicy::kAtEnd
          ? std::string("the stream has ended")
          : fmt::format("the bytes have left already: the window was too small by {} bytes",
                        released - range.begin);
  error.hint = "a larger --window, or --commit at-end, keeps them";
  error.offset = range.begin;
  return error;
}

}  // namespace

Result<std::unique_ptr<Sink>> Sink::start(io::File& out, Options options) {
  if (options.size > INT64_MAX) return usage("the disk is too large");
  std::unique_ptr<Sink> sink(new Sink(out, std::move(options)));
  Sink* const self = sink.get();
  sink->thread_ = std::thread([self] {
    std::unique_lock lock(self->mutex_);
    self->send_all(lock);
    self->done_ = true;
    self->from_thread_.notify_all();
  });
  return sink;
}

Sink::Sink(io::File& out, Options options)
    : options_(std::move(options)),
      out_(out, options_.zeros, &stop_output_),
      blocks_(options_.memory, options_.spill),
      frontier_(options_.policy, options_.window) {
  if (options_.digest) sha256_.emplace();
}

Sink::~Sink() {
  abandon();
}

Error Sink::fail(Error error) {
  if (!failure_) {
    failure_ = error;
    to_thread_.notify_one();
    from_thread_.notify_all();
  }
  return error;
}

Result<void> Sink::check(ByteRange range) {
  if (failure_) return *failure_;
  if (!last_ && range.begin >= released_) return {};
  if (!last_) frontier_.refused(range);
  return fail(has_left(range, released_, options_.policy));
}

// Lets bytes go as the policy says, and tells the thread.
void Sink::let_go() {
  if (released_ == frontier_.released()) return;
  released_ = frontier_.released();
  if (released_ >= wakes_at_) to_thread_.notify_one();
}

Result<void> Sink::may_write(ByteRange range) {
  const std::lock_guard lock(mutex_);
  return check(range);
}

Result<void> Sink::write(std::uint64_t offset, std::span<const std::byte> data) {
  const std::lock_guard lock(mutex_);
  const ByteRange range = ByteRange::of(offset, data.size());
  SHUNT_TRY(check(range));
  if (const Result<void> held = blocks_.write(offset, data); !held) return fail(held.error());
  summary_.bytes_in += data.size();
  if (options_.policy == CommitPolicy::kAuto && is_zeros(data)) {
    frontier_.wrote_zeros(range);
  } else {
    frontier_.wrote(range);
  }
  let_go();
  return {};
}

Result<void> Sink::zero(ByteRange range) {
  const std::lock_guard lock(mutex_);
  SHUNT_TRY(check(range));
  if (const Result<void> held = blocks_.zero(range); !held) return fail(held.error());
  frontier_.zeroed(range);
  let_go();
  return {};
}

Result<void> Sink::trim(ByteRange range) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  frontier_.trimmed(range);
  range.begin = std::clamp(released_, range.begin, range.end);
  if (const Result<void> held = blocks_.zero(range); !held) return fail(held.error());
  return {};
}

Result<void> Sink::read(std::uint64_t offset, std::span<std::byte> into) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  const std::uint64_t kept = sent_ - std::min(sent_, options_.read_window);
  if (offset < kept) {
    Error error = system_error(EIO, "", "read");
    error.code = ErrorCode::kFailed;
    error.reason = fmt::format("the bytes have left: the read window was too small by {} bytes",
                               kept - offset);
    error.hint = "a larger --read-window, or --commit at-end, keeps them";
    error.offset = offset;
    return error;
  }
  frontier_.read();
  return blocks_.read(offset, into);
}

std::vector<Sink::Extent> Sink::extents(ByteRange range, std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<Extent> extents;
  const auto add = [&](std::uint64_t size, bool zeros) {
    if (!extents.empty() && extents.back().zeros == zeros) {
      extents.back().size += size;
    } else {
      extents.push_back({size, zeros});
    }
    range.begin += size;
  };
  // What has left may have been anything.
  if (range.begin < sent_) add(std::min(sent_, range.end) - range.begin, false);
  while (!range.empty() && extents.size() <= most) {
    const HeldBlocks::Run run = blocks_.next_run(range);
    add(run.range.size(), run.where == HeldBlocks::Run::Where::kNowhere);
  }
  if (extents.size() > most) extents.pop_back();
  return extents;
}

std::uint64_t Sink::released() {
  const std::lock_guard lock(mutex_);
  return released_;
}

Result<bool> Sink::is_sent(std::uint64_t position) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return sent_ >= position;
}

Result<void> Sink::wait_until_sent(std::uint64_t position) {
  std::unique_lock lock(mutex_);
  from_thread_.wait(lock, [&] { return failure_ || sent_ >= position; });
  if (failure_) return *failure_;
  return {};
}

// What is on its way out takes of the memory, and soon does not: no reason to refuse a write.
bool Sink::has_room() const {
  if (failure_) return true;
  if (released_ - sent_ > kBacklog) return false;
  return released_ == sent_ || !options_.spill.empty() || !blocks_.nearly_full();
}

bool Sink::ready() {
  const std::lock_guard lock(mutex_);
  return has_room();
}

Result<void> Sink::wait_until_ready() {
  std::unique_lock lock(mutex_);
  from_thread_.wait(lock, [&] { return has_room(); });
  if (failure_) return *failure_;
  return {};
}

void Sink::on_progress(std::function<void()> call) {
  const std::lock_guard lock(mutex_);
  on_progress_ = std::move(call);
}

Result<void> Sink::check_reader() {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  // Who has all may go. What is left in the pipe then, finish() sees.
  if (sent_ == options_.size) return {};
  if (const Result<void> there = out_.check_reader(); !there) return fail(there.error());
  return {};
}

// Small pieces are waited for a moment, so that a client that goes on does not wake this thread for
// each of its writes.
void Sink::wait_for_work(std::unique_lock<std::mutex>& lock) {
  constexpr std::uint64_t kWorthwhile = std::uint64_t{1} << 20;
  constexpr auto kLinger = std::chrono::milliseconds(1);
  wakes_at_ = sent_ + kWorthwhile;
  const auto called = [&] { return failure_ || last_ || released_ >= wakes_at_; };
  if (!to_thread_.wait_for(lock, kLinger, called)) {
    wakes_at_ = sent_ + 1;
    to_thread_.wait(lock, called);
  }
  wakes_at_ = UINT64_MAX;
}

// The thread: sends what may leave until the end of the stream or a failure.
void Sink::send_all(std::unique_lock<std::mutex>& lock) {
  while (true) {
    wait_for_work(lock);
    if (failure_) return;
    if (sent_ == released_) break;  // the end
    const ByteRange next{sent_, std::min(released_, sent_ + kMostZeros)};
    const HeldBlocks::Run run = blocks_.next_run(next);
    blocks_.pin(run.range);
    const bool the_rest = last_;
    lock.unlock();
    const Result<void> gone = send(run, the_rest);
    lock.lock();
    blocks_.pin({});
    summary_.bytes_out = out_.position();  // of a run that failed, what went
    if (gone) {
      sent_ = run.range.end;
      if (run.where == HeldBlocks::Run::Where::kNowhere) summary_.zero_bytes += run.range.size();
      // The rest has no need of room, and its pages may still be in a pipe.
      if (!the_rest) blocks_.forget_before(sent_ - std::min(sent_, options_.read_window));
    } else {
      fail(gone.error());
    }
    from_thread_.notify_all();
    if (on_progress_) on_progress_();
  }
  lock.unlock();
  const Result<void> ended = out_.finish();
  lock.lock();
  if (!ended) fail(ended.error());
}

Result<void> Sink::send(const HeldBlocks::Run& run, bool the_rest) {
  switch (run.where) {
    case HeldBlocks::Run::Where::kNowhere:
      if (sha256_) hash_zeros(run.range.size());
      return out_.write_zeros(run.range.size());
    case HeldBlocks::Run::Where::kMemory: {
      const auto parts = std::span(run.memory).first(run.parts);
      if (sha256_) {
        for (const auto part : parts) sha256_->update(part);
      }
      return out_.write(parts);
    }
    case HeldBlocks::Run::Where::kFile:
      return send_from_file(run.range, the_rest);
  }
  return {};
}

// Through the kernel only when nothing is given up afterwards: splice(2) and sendfile(2) put pages
// of the file into the stream, and a hole punched into a large page turns the bytes that nobody has
// read yet into zeros.
Result<void> Sink::send_from_file(ByteRange range, bool the_rest) {
  if (!sha256_ && the_rest) return out_.copy(blocks_.file(), range);
  std::vector<std::byte> buffer(kFileBuffer);
  while (!range.empty()) {
    const auto part = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(range.size(), buffer.size())));
    SHUNT_ASSIGN(const std::size_t got, blocks_.file().read_at(range.begin, part));
    if (got < part.size()) return system_error(EIO, blocks_.file().path(), "read");
    if (sha256_) sha256_->update(part);
    const std::span<const std::byte> bytes = part;
    SHUNT_TRY(out_.write(std::span(&bytes, 1)));
    range.begin += got;
  }
  return {};
}

void Sink::hash_zeros(std::uint64_t count) {
  static constexpr std::array<std::byte, std::size_t{64} << 10> kZeros{};
  while (count > 0) {
    const auto part = std::span(kZeros).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(count, kZeros.size())));
    sha256_->update(part);
    count -= part.size();
  }
}

Result<void> Sink::finish(const std::function<bool()>& give_up) {
  constexpr auto kAskAgain = std::chrono::milliseconds(100);
  std::unique_lock lock(mutex_);
  if (!last_ && !failure_) {
    summary_.streamed = frontier_.streams();
    released_ = options_.truncate ? frontier_.highest() : options_.size;
    last_ = true;
  }
  if (failure_) stop_output_.request(0);  // a consumer that does not read is not waited for
  to_thread_.notify_one();
  while (!from_thread_.wait_for(lock, kAskAgain, [&] { return done_; })) {
    if (give_up && give_up()) stop_output_.request(0);
  }
  if (failure_) return *failure_;
  return {};
}

void Sink::abandon() {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_ && !last_) {
      Error error;
      error.code = ErrorCode::kInterrupted;
      error.reason = "the stream was abandoned";
      failure_ = std::move(error);
    }
    stop_output_.request(0);
    to_thread_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

Summary Sink::summary() {
  const std::lock_guard lock(mutex_);
  Summary summary = summary_;
  summary.peak_held = blocks_.peak();
  summary.spilled = blocks_.spilled();
  summary.window_needed = frontier_.window_needed();
  if (sha256_ && done_ && !failure_) summary.digest = "sha256:" + sha256_->hex();
  return summary;
}

}  // namespace shunt::sink
