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
// Blocks that nobody waits for are put at this interval.
constexpr auto kLongest = std::chrono::milliseconds(50);
// With fewer bytes, the rate is reported as unknown.
constexpr std::uint64_t kEnoughForRate = std::uint64_t{1} << 20;

}  // namespace

FillJob::FillJob(const Shape& shape, BlockRun blocks, bool awaited, EventCount& events)
    : shape_(shape), events_(events), run_(blocks), awaited_(awaited) {}

// ---- on the client's thread ---------------------------------------------------------------------

bool FillJob::within(std::uint64_t offset, std::uint64_t bytes) const {
  const std::uint64_t end = std::min(run_.end * shape_.block_size, shape_.size);
  return run_.begin * shape_.block_size <= offset && offset <= end && bytes <= end - offset;
}

bool FillJob::has_room(std::uint64_t bytes) const {
  // A piece may be larger than the buffer, and an incomplete block must be able to grow.
  return coming_.size() < shape_.block_size || coming_.size() + bytes <= shape_.most_in_hand;
}

bool FillJob::ready(std::uint64_t offset, std::size_t bytes) {
  {
    const Lock lock(mutex_);
    wants_everything_ = !everything_ && !within(offset, bytes);
    if (!wants_everything_ && has_room(bytes)) return true;
    held_ = true;
    held_bytes_ = bytes;
  }
  events_.tell();
  return false;
}

Result<void> FillJob::receive(std::uint64_t offset, std::span<const std::byte> bytes) {
  const auto now = Clock::now();
  bool tell = false;
  {
    const Lock lock(mutex_);
    const bool first = !begun_;
    if (first) {
      if (offset != 0 && offset != run_.begin * shape_.block_size) {
        return corrupt("the download starts at the wrong offset", offset);
      }
      begun_ = true;
      first_byte_ = last_batch_ = now;
      coming_at_ = position_ = offset;
    }
    if (offset != position_ || bytes.size() > shape_.size - offset) {
      return corrupt("the download does not continue where it was", offset);
    }
    const bool was_due = due(now, awaited_);
    // Reserves all of it at once: growing step by step takes twice the memory, and fragments the
    // heap.
    coming_.reserve(static_cast<std::size_t>(shape_.most_in_hand));
    coming_.insert(coming_.end(), bytes.begin(), bytes.end());
    position_ += bytes.size();
    received_ += bytes.size();
    tell = first || (!was_due && due(now, awaited_));
  }
  if (tell) events_.tell();
  return {};
}

void FillJob::finished(Result<void> outcome) {
  {
    const Lock lock(mutex_);
    over_ = true;
    if (!stopped_) outcome_ = std::move(outcome);
  }
  events_.tell();
}

// ---- thread-safe --------------------------------------------------------------------------------

std::uint64_t FillJob::whole_in_hand() const {
  return position_ == shape_.size ? coming_.size() : round_down(coming_.size(), shape_.block_size);
}

bool FillJob::due(Clock::time_point now, bool awaited) const {
  if (in_use_ || whole_in_hand() == 0) return false;
  if (over_ || held_ || coming_.size() >= shape_.most_in_hand / 3 * 2) return true;
  const auto since = now - last_batch_;
  if (since >= kLongest) return true;
  return awaited && (coming_.size() >= kFastBatch || since >= kFast || received_ == coming_.size());
}

bool FillJob::is_due(Clock::time_point now, bool awaited) const {
  const Lock lock(mutex_);
  return due(now, awaited);
}

std::optional<Batch> FillJob::take() {
  const Lock lock(mutex_);
  const auto whole = static_cast<std::size_t>(whole_in_hand());
  if (in_use_ || whole == 0) return std::nullopt;
  in_use_ = true;
  last_batch_ = Clock::now();
  std::swap(coming_, leaving_);
  coming_.reserve(static_cast<std::size_t>(shape_.most_in_hand));
  coming_.assign(leaving_.begin() + static_cast<std::ptrdiff_t>(whole), leaving_.end());
  leaving_.resize(whole);
  const std::uint64_t first = coming_at_ / shape_.block_size;
  return Batch{first, leaving_};
}

void FillJob::give_back() {
  const Lock lock(mutex_);
  coming_at_ += leaving_.size();
  leaving_.clear();
  in_use_ = false;
}

bool FillJob::holds(std::uint64_t block) const {
  const Lock lock(mutex_);
  return begun_ && coming_at_ / shape_.block_size <= block &&
         std::min((block + 1) * shape_.block_size, shape_.size) <= position_;
}

void FillJob::set_awaited(bool awaited) {
  const Lock lock(mutex_);
  awaited_ = awaited;
}

FillJob::State FillJob::state() const {
  const Lock lock(mutex_);
  const double seconds = std::chrono::duration<double>(Clock::now() - first_byte_).count();
  const bool tells = begun_ && received_ >= kEnoughForRate && seconds > 0;
  return {position_, coming_at_, tells ? static_cast<double>(received_) / seconds : 0,
          over_,     in_use_,    wants_everything_ && !over_};
}

bool FillJob::may_resume() {
  const Lock lock(mutex_);
  if (!held_ || wants_everything_ || over_ || !has_room(held_bytes_)) return false;
  held_ = false;
  return true;
}

void FillJob::stopped() {
  const Lock lock(mutex_);
  stopped_ = over_ = true;
  outcome_ = {};
}

void FillJob::go_on_to_the_end() {
  const Lock lock(mutex_);
  run_ = {0, shape_.size / shape_.block_size + (shape_.size % shape_.block_size != 0 ? 1 : 0)};
  everything_ = true;
  wants_everything_ = false;
}

Result<void> FillJob::outcome() const {
  const Lock lock(mutex_);
  return outcome_;
}

BlockRun FillJob::rest() const {
  const Lock lock(mutex_);
  if (!begun_) return run_;
  return {std::clamp(position_ / shape_.block_size, run_.begin, run_.end), run_.end};
}

}  // namespace shunt::cache
