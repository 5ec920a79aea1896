// The thread of a Sink: sends what was released.
#include <algorithm>
#include <array>
#include <chrono>

#include "shunt/base/catching.h"
#include "shunt/io/source.h"
#include "shunt/sink/sink.h"

namespace shunt::sink {
namespace {

constexpr std::uint64_t kMostZeros = std::uint64_t{1} << 30;  // sent without taking the lock
constexpr std::size_t kFileBuffer = std::size_t{1} << 20;

}  // namespace

// Calls a copy, since the callback may replace itself.
void Sink::tell_progress() {
  if (!on_progress_) return;
  const std::function<void()> call = on_progress_;
  telling_ = true;
  Result<void> called;
  {
    const Unlocked meanwhile(mutex_);
    called = catching([&]() -> Result<void> {
      call();
      return {};
    });
  }
  telling_ = false;
  if (!called) fail(called.error());
  from_thread_.notify_all();
}

// Waits a moment for small pieces to accumulate, so that a busy client does not wake this thread
// for each write.
void Sink::wait_for_work() {
  constexpr std::uint64_t kWorthwhile = std::uint64_t{1} << 20;
  constexpr auto kLinger = std::chrono::milliseconds(1);
  wakes_at_ = sent_ + kWorthwhile;
  const auto called = [&]() SHUNT_REQUIRES(mutex_) {
    return failure_ || last_ || released_ >= wakes_at_;
  };
  if (!to_thread_.wait_for(mutex_, kLinger, called)) {
    wakes_at_ = sent_ + 1;
    to_thread_.wait(mutex_, called);
  }
  wakes_at_ = UINT64_MAX;
}

// Sends until the end of the stream or a failure.
void Sink::send_all() {
  while (true) {
    wait_for_work();
    if (failure_) return;
    if (sent_ == released_) break;  // the end of the stream
    const ByteRange next{sent_, std::min(released_, sent_ + kMostZeros)};
    const Result<HeldBlocks::Run> found = blocks_.next_run(next);
    if (!found) {
      fail(found.error());
      continue;
    }
    const HeldBlocks::Run& run = *found;
    blocks_.pin(run.range);
    const bool the_rest = last_;
    const io::File& file = blocks_.file();
    Result<void> gone;
    {
      const Unlocked meanwhile(mutex_);
      gone = send(run, file, the_rest);
    }
    blocks_.pin({});
    summary_.bytes_out = out_.position();  // also after a failure
    if (gone) {
      sent_ = run.range.end;
      if (run.where == HeldBlocks::Run::Where::kNowhere) summary_.zero_bytes += run.range.size();
      // The last blocks need not be freed, and their pages may still be in a pipe.
      if (!the_rest) {
        const Result<void> forgotten =
            blocks_.forget_before(sent_ - std::min(sent_, options_.read_window));
        if (!forgotten) fail(forgotten.error());
      }
    } else {
      fail(gone.error());
    }
    from_thread_.notify_all();
    tell_progress();
  }
  Result<void> ended;
  {
    const Unlocked meanwhile(mutex_);
    ended = out_.finish();
  }
  if (!ended) fail(ended.error());
}

Result<void> Sink::send(const HeldBlocks::Run& run, const io::File& file, bool the_rest) {
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
      return send_from_file(file, ByteRange::of(run.place, run.range.size()), the_rest);
  }
  return {};
}

// Copies in the kernel only if nothing is freed afterwards: splice(2) and sendfile(2) put pages of
// the file into the stream, and a hole punched into a large page would zero bytes that nobody has
// read yet.
Result<void> Sink::send_from_file(const io::File& file, ByteRange range, bool the_rest) {
  if (!sha256_ && the_rest) return out_.copy(file, range);
  std::vector<std::byte> buffer(kFileBuffer);
  return io::read_in_pieces(io::BorrowedFileSource(file, range.end), range, buffer,
                            [this](std::span<const std::byte> piece) {
                              if (sha256_) sha256_->update(piece);
                              return out_.write(std::span(&piece, 1));
                            });
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

}  // namespace shunt::sink
