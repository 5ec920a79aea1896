#include "shunt/sink/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "shunt/base/catching.h"

namespace shunt::sink {
namespace {

Error has_left(ByteRange range, std::uint64_t released, CommitPolicy policy) {
  Error error = system_error(EPERM, "", "write");
  error.code = ErrorCode::kFailed;
  error.reason =
      policy == CommitPolicy::kAtEnd
          ? std::string("the stream has ended")
          : fmt::format("the bytes are already sent: the window was too small by {} bytes",
                        released - range.begin);
  error.hint =
      "a larger --window keeps them; a program that patches what it wrote long before (zip, a "
      "superblock written last) needs --commit at-end";
  error.offset = range.begin;
  return error;
}

}  // namespace

Result<std::unique_ptr<Sink>> Sink::start(io::File& out, Options options) {
  if (options.size > INT64_MAX) return usage("the disk is too large");
  std::unique_ptr<Sink> sink(new Sink(out, std::move(options)));
  // Do not begin a stream that cannot end.
  if (!sink->options_.truncate) SHUNT_TRY(sink->out_.check_size(sink->options_.size));
  Sink* const self = sink.get();
  SHUNT_ASSIGN(sink->thread_, io::Thread::start([self]() -> Result<void> {
                 // Whatever ends the thread becomes the answer to those who wait for it.
                 Result<void> sent = catching([&]() -> Result<void> {
                   const Lock lock(self->mutex_);
                   self->send_all();
                   return {};
                 });
                 const Lock lock(self->mutex_);
                 if (!sent && !self->failure_) self->failure_ = std::move(sent).error();
                 if (self->failure_) self->tell_progress();
                 self->done_ = true;
                 self->from_thread_.notify_all();
                 return {};
               }));
  return sink;
}

Sink::Sink(io::File& out, Options options)
    : options_(std::move(options)),
      out_(out, options_.zeros, &stop_output_),
      blocks_(options_.memory, options_.spill),
      frontier_(options_.policy, options_.window),
      content_(options_.size) {
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

// Releases bytes as the policy permits, and wakes the thread.
void Sink::let_go() {
  if (released_ == frontier_.released()) return;
  released_ = frontier_.released();
  if (released_ >= wakes_at_) to_thread_.notify_one();
}

Result<void> Sink::may_write(ByteRange range) {
  const Lock lock(mutex_);
  return check(range);
}

Result<void> Sink::write(std::uint64_t offset, std::span<const std::byte> data) {
  const Lock lock(mutex_);
  const ByteRange range = ByteRange::of(offset, data.size());
  SHUNT_TRY(check(range));
  if (const Result<void> held = blocks_.write(offset, data); !held) return fail(held.error());
  summary_.bytes_in += data.size();
  content_.wrote(range);
  if (options_.policy == CommitPolicy::kAuto && is_zeros(data)) {
    frontier_.wrote_zeros(range);
  } else {
    frontier_.wrote(range);
  }
  let_go();
  return {};
}

Result<void> Sink::zero(ByteRange range) {
  const Lock lock(mutex_);
  SHUNT_TRY(check(range));
  if (const Result<void> held = blocks_.zero(range); !held) return fail(held.error());
  content_.zeroed(range);
  frontier_.zeroed(range);
  let_go();
  return {};
}

Result<void> Sink::trim(ByteRange range) {
  const Lock lock(mutex_);
  if (failure_) return *failure_;
  frontier_.trimmed(range);
  range.begin = std::clamp(released_, range.begin, range.end);
  if (const Result<void> held = blocks_.zero(range); !held) return fail(held.error());
  return {};
}

Result<void> Sink::read(std::uint64_t offset, std::span<std::byte> into) {
  const Lock lock(mutex_);
  if (failure_) return *failure_;
  frontier_.read_at(ByteRange::of(offset, into.size()));
  const std::uint64_t kept = sent_ - std::min(sent_, options_.read_window);
  if (offset < kept) {
    Error error = system_error(EIO, "", "read");
    error.code = ErrorCode::kFailed;
    error.reason = fmt::format(
        "the bytes are already sent: the read window was too small by {} bytes", kept - offset);
    error.hint = "a larger --read-window, or --commit at-end, keeps them";
    error.offset = offset;
    return error;
  }
  frontier_.read();
  return blocks_.read(offset, into);
}

std::vector<Sink::Extent> Sink::extents(ByteRange range, std::size_t most) {
  const Lock lock(mutex_);
  std::vector<Extent> extents;
  const auto add = [&](std::uint64_t size, bool zeros) {
    if (!extents.empty() && extents.back().zeros == zeros) {
      extents.back().size += size;
    } else {
      extents.push_back({size, zeros});
    }
    range.begin += size;
  };
  // The content of sent bytes is unknown.
  if (range.begin < sent_) add(std::min(sent_, range.end) - range.begin, false);
  while (!range.empty() && extents.size() <= most) {
    const Result<HeldBlocks::Run> run = blocks_.next_run(range);
    if (!run) {
      fail(run.error());
      add(range.size(), false);
    } else {
      add(run->range.size(), run->where == HeldBlocks::Run::Where::kNowhere);
    }
  }
  if (extents.size() > most) extents.pop_back();
  return extents;
}

std::uint64_t Sink::released() {
  const Lock lock(mutex_);
  return released_;
}

Result<bool> Sink::is_sent(std::uint64_t position) {
  const Lock lock(mutex_);
  if (failure_) return *failure_;
  return sent_ >= position;
}

// Waits until the thread makes `done` true. Returns false if `give_up` returned true before; it is
// called without the lock.
template <typename Done>
bool Sink::wait(const Done& done, const std::function<bool()>& give_up) {
  constexpr std::chrono::milliseconds kAskAgain{100};
  constexpr std::chrono::milliseconds kNotAtAll{0};
  bool enough = false;
  while (!from_thread_.wait_for(mutex_, enough ? kNotAtAll : kAskAgain, done)) {
    if (enough) return false;
    if (!give_up) continue;
    const Unlocked meanwhile(mutex_);
    enough = give_up();
  }
  return true;
}

Result<bool> Sink::wait_until_sent(std::uint64_t position, const std::function<bool()>& give_up) {
  const Lock lock(mutex_);
  const bool sent =
      wait([&]() SHUNT_REQUIRES(mutex_) { return failure_ || sent_ >= position; }, give_up);
  if (failure_) return *failure_;
  return sent;
}

// Bytes on their way out take memory, but not for long: no reason to refuse a write.
bool Sink::has_room() const {
  if (failure_) return true;
  if (released_ - sent_ > kBacklog) return false;
  return released_ == sent_ || !options_.spill.empty() || !blocks_.nearly_full();
}

bool Sink::ready() {
  const Lock lock(mutex_);
  return has_room();
}

Result<bool> Sink::wait_until_ready(const std::function<bool()>& give_up) {
  const Lock lock(mutex_);
  const bool ready = wait([&]() SHUNT_REQUIRES(mutex_) { return has_room(); }, give_up);
  if (failure_) return *failure_;
  return ready;
}

void Sink::on_progress(std::function<void()> call) {
  const Lock lock(mutex_);
  on_progress_ = std::move(call);
  if (thread_.is_current()) return;
  from_thread_.wait(mutex_, [&]() SHUNT_REQUIRES(mutex_) { return !telling_; });
}

Result<void> Sink::check_reader() {
  const Lock lock(mutex_);
  if (failure_) return *failure_;
  // A reader that has everything may leave. finish() sees what is left in the pipe.
  if (sent_ == options_.size) return {};
  if (const Result<void> there = out_.check_reader(); !there) return fail(there.error());
  return {};
}

Result<void> Sink::finish(const std::function<bool()>& give_up) {
  const Lock lock(mutex_);
  if (!last_ && !failure_) {
    summary_.streamed = frontier_.streams();
    summary_.left_early = released_ > 0;
    released_ = options_.truncate ? std::max(released_, content_.end()) : options_.size;
    last_ = true;
  }
  if (failure_) stop_output_.request(0);  // do not wait for a consumer that does not read
  to_thread_.notify_one();
  const auto done = [&]() SHUNT_REQUIRES(mutex_) { return done_; };
  if (!wait(done, give_up)) {
    stop_output_.request(0);
    from_thread_.wait(mutex_, done);
  }
  if (failure_) return *failure_;
  return {};
}

void Sink::abandon() {
  {
    const Lock lock(mutex_);
    if (!failure_ && !last_) {
      Error error;
      error.code = ErrorCode::kInterrupted;
      error.reason = "the stream was abandoned";
      failure_ = std::move(error);
    }
    stop_output_.request(0);
    to_thread_.notify_one();
  }
  (void)thread_.join();
}

Summary Sink::summary() {
  const Lock lock(mutex_);
  Summary summary = summary_;
  summary.peak_held = blocks_.peak();
  summary.spilled = blocks_.spilled();
  summary.window_needed = frontier_.window_needed();
  summary.read_back = frontier_.read_back();
  summary.peak_unspilled = blocks_.peak_unspilled();
  summary.left_early = summary.left_early || (!last_ && released_ > 0);
  if (sha256_ && done_ && !failure_) summary.digest = "sha256:" + sha256_->hex();
  return summary;
}

}  // namespace shunt::sink
