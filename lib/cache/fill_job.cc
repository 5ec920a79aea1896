#include "shunt/cache/fill_job.h"

#include <algorithm>
#include <utility>

#include "shunt/base/checked.h"

namespace shunt::cache {
namespace {

// Blocks that a reader waits for are put at once, or in batches of this size or this time if they
// come so fast that the delay does not matter.
constexpr std::uint64_t kFastBatch = std::uint64_t{256} << 10;
constexpr auto kFast = std::chrono::milliseconds(2);
// The same for blocks that nobody waits for.
constexpr std::uint64_t kBatch = std::uint64_t{512} << 10;
constexpr auto kLongest = std::chrono::milliseconds(50);
// With fewer bytes, the rate is reported as unknown.
constexpr std::uint64_t kEnoughForRate = std::uint64_t{1} << 20;

}  // namespace

FillJob::FillJob(const Shape& shape, BlockRun blocks, std::optional<std::uint64_t> awaited,
                 EventCount& mover, EventCount& readers)
    : shape_(shape),
      mover_(mover),
      readers_(readers),
      run_(blocks),
      ring_size_(shape.buffer),
      awaited_(awaited) {}

// ---- on the client's thread ---------------------------------------------------------------------

ByteRange FillJob::expected() const {
  return {run_.begin * shape_.block_size, std::min(run_.end * shape_.block_size, shape_.size)};
}

std::uint64_t FillJob::free_for(std::uint64_t wanted) const {
  const std::uint64_t free = ring_size_ - in_hand();
  // A piece may be larger than the buffer, and an incomplete block must be able to grow.
  return batch_ == 0 && whole_in_hand() == 0 ? std::max(free, wanted) : free;
}

std::span<std::byte> FillJob::place_of(std::uint64_t offset) {
  const std::uint64_t at = offset % ring_size_;
  return {ring_.get() + at, static_cast<std::size_t>(ring_size_ - at)};
}

// No batch is out, and less than a block is in hand, or there is no ring yet.
void FillJob::grow(std::uint64_t bytes) {
  const std::uint64_t size = std::max(ring_size_, round_up(in_hand() + bytes, shape_.block_size));
  auto ring = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(size));
  if (in_hand() != 0) std::copy_n(place_of(kept_).begin(), in_hand(), &ring[kept_ % size]);
  ring_ = std::move(ring);
  ring_size_ = size;
}

void FillJob::copy_in(std::span<const std::byte> bytes) {
  if (ring_ == nullptr) grow(bytes.size());
  received_ += bytes.size();
  while (!bytes.empty()) {
    const std::span<std::byte> place = place_of(position_);
    const std::size_t count = std::min(place.size(), bytes.size());
    std::copy_n(bytes.begin(), count, place.begin());
    bytes = bytes.subspan(count);
    position_ += count;
  }
}

std::uint64_t FillJob::room(std::uint64_t offset, std::uint64_t wanted) {
  std::uint64_t room = 0;
  {
    const Lock lock(mutex_);
    wants_everything_ = !expected().contains(ByteRange::of(offset, wanted));
    if (!wants_everything_) {
      room = std::min(free_for(wanted), expected().end - offset);
      // Before it is promised: a batch may be out when it comes.
      if (room > ring_size_ - in_hand()) grow(room);
    }
    if (room >= wanted) {
      // A client that was refused more than this has paused, though the rest of what it has read
      // still comes.
      if (wanted >= held_bytes_) held_ = false;
      return room;
    }
    held_bytes_ = held_ ? std::max(held_bytes_, wanted) : wanted;
    held_ = true;
    resumed_ = {};
  }
  mover_.tell();
  return room;
}

Result<void> FillJob::receive(std::uint64_t offset, std::span<const std::byte> bytes) {
  const auto now = Clock::now();
  bool tell_mover = false;
  bool tell_readers = false;
  {
    const Lock lock(mutex_);
    const bool first = !begun_;
    if (first) {
      if (offset != expected().begin) {
        return corrupt("the download starts at the wrong offset", offset);
      }
      begun_ = true;
      first_byte_ = last_batch_ = now;
      kept_ = position_ = offset;
    }
    if (offset != position_ || bytes.size() > shape_.size - offset) {
      return corrupt("the download does not continue where it was", offset);
    }
    if (bytes.size() > ring_size_ - in_hand()) {
      return corrupt("the download brings more than there is room for", offset);
    }
    const bool was_due = due(now, false);
    const bool was_due_to_readers = due_to_readers(now);
    copy_in(bytes);
    tell_mover = first || (!was_due && due(now, false));
    tell_readers = !was_due_to_readers && due_to_readers(now);
  }
  if (tell_mover) mover_.tell();
  if (tell_readers) readers_.tell();
  return {};
}

void FillJob::finished(Result<void> outcome) {
  {
    const Lock lock(mutex_);
    over_ = true;
    if (!stopped_) outcome_ = std::move(outcome);
  }
  mover_.tell();
}

// ---- thread-safe --------------------------------------------------------------------------------

std::uint64_t FillJob::whole_in_hand() const {
  return position_ == shape_.size ? in_hand() : round_down(in_hand(), shape_.block_size);
}

bool FillJob::due(Clock::time_point now, bool awaited) const {
  if (batch_ != 0 || whole_in_hand() == 0) return false;
  if (over_ || held_ || in_hand() >= std::min(kBatch, ring_size_ / 2)) return true;
  const auto since = now - last_batch_;
  if (since >= kLongest) return true;
  return awaited && (since >= kFast || in_hand() >= kFastBatch || received_ == in_hand());
}

bool FillJob::is_due(Clock::time_point now, bool awaited) const {
  const Lock lock(mutex_);
  return due(now, awaited);
}

std::optional<Batch> FillJob::take() {
  const Lock lock(mutex_);
  if (batch_ != 0 || whole_in_hand() == 0) return std::nullopt;
  const std::span<std::byte> place = place_of(kept_);
  // A part of what may be in hand, so that there is room for what comes meanwhile.
  const std::uint64_t most = round_up(std::min(kBatch, ring_size_ / 2), shape_.block_size);
  batch_ = std::min({whole_in_hand(), static_cast<std::uint64_t>(place.size()), most});
  last_batch_ = Clock::now();
  return Batch{kept_ / shape_.block_size, place.first(static_cast<std::size_t>(batch_))};
}

void FillJob::give_back() {
  const Lock lock(mutex_);
  kept_ += std::exchange(batch_, 0);
}

bool FillJob::has_come(std::uint64_t block) const {
  return begun_ && kept_ / shape_.block_size <= block &&
         std::min((block + 1) * shape_.block_size, shape_.size) <= position_;
}

bool FillJob::holds(std::uint64_t block) const {
  const Lock lock(mutex_);
  return has_come(block);
}

void FillJob::set_awaited(std::optional<std::uint64_t> block) {
  const Lock lock(mutex_);
  awaited_ = block;
}

FillJob::State FillJob::state() const {
  const Lock lock(mutex_);
  const double seconds = std::chrono::duration<double>(Clock::now() - first_byte_).count();
  const bool tells = begun_ && received_ >= kEnoughForRate && seconds > 0;
  return {position_,
          kept_,
          tells ? static_cast<double>(received_) / seconds : 0,
          over_,
          batch_ == 0 && whole_in_hand() == 0,
          wants_everything_ && !over_};
}

bool FillJob::may_resume(Clock::time_point now) {
  const Lock lock(mutex_);
  if (!held_ || wants_everything_ || over_ || free_for(held_bytes_) < held_bytes_) return false;
  // Not for a little room: each time costs a turn of the client's thread.
  if (in_hand() > ring_size_ / 2) return false;
  if (resumed_ != Clock::time_point() && now - resumed_ < kLongest) return false;
  resumed_ = now;
  return true;
}

void FillJob::stopped() {
  const Lock lock(mutex_);
  stopped_ = over_ = true;
  outcome_ = {};
}

void FillJob::extend(BlockRun blocks) {
  const Lock lock(mutex_);
  run_ = blocks;
  wants_everything_ = false;
}

Result<void> FillJob::outcome() const {
  const Lock lock(mutex_);
  return outcome_;
}

BlockRun FillJob::rest() const {
  const Lock lock(mutex_);
  if (!begun_) return run_;
  if (position_ == shape_.size) return {run_.end, run_.end};
  return {std::clamp(position_ / shape_.block_size, run_.begin, run_.end), run_.end};
}

}  // namespace shunt::cache
