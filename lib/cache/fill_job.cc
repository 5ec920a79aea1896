#include "shunt/cache/fill_job.h"

#include <algorithm>

#include "shunt/base/catching.h"
#include "shunt/base/checked.h"
#include "shunt/cache/filler.h"

namespace shunt::cache {
namespace {

// What is kept in hand before it is written: half of what a connection may take, the other half
// being the client's own buffer.
constexpr std::uint64_t kBuffer = std::uint64_t{512} << 10;
// Blocks that somebody waits for are written at once, unless they come so fast that it makes no
// difference to anybody.
constexpr std::uint64_t kFastBatch = std::uint64_t{256} << 10;
constexpr auto kFast = std::chrono::milliseconds(2);
// Blocks that nobody waits for are written this often.
constexpr auto kLongest = std::chrono::milliseconds(50);

}  // namespace

FillJob::FillJob(Filler& filler, BlockRun blocks) : run(blocks), filler_(filler) {}

// Into memory a batch costs nothing, and memory is what there is little of.
std::uint64_t FillJob::most_in_hand() const {
  const BlockStore& store = *filler_.store_;
  return std::max(store.capacity() == 0 ? kBuffer : kFastBatch, store.block_size());
}

Result<void> FillJob::receive(std::uint64_t offset, std::span<const std::byte> bytes) {
  const std::uint64_t block_size = filler_.store_->block_size();
  if (!started_) {
    const std::lock_guard lock(buffer_mutex_);
    started_ = true;
    first_byte_ = last_flush_ = Clock::now();
    // At once: growing by and by takes twice that, and leaves the halves in the heap.
    buffer_.reserve(static_cast<std::size_t>(most_in_hand()));
    buffer_at_ = position_ = offset;
    if (offset != 0 && offset != run.begin * block_size) {
      return corrupt("the download begins at the wrong place", offset);
    }
  }
  const std::uint64_t size = filler_.store_->size();
  if (offset != position() || bytes.size() > size - offset) {
    return corrupt("the download does not go on where it was", offset);
  }
  if (!everything_ && (offset < run.begin * block_size ||
                       offset + bytes.size() > std::min(run.end * block_size, size))) {
    everything_ = true;
    SHUNT_TRY(filler_.sends_everything(*this));
  }
  while (!bytes.empty()) {
    {
      const std::lock_guard lock(buffer_mutex_);
      const auto part = bytes.first(static_cast<std::size_t>(
          std::min<std::uint64_t>(bytes.size(), most_in_hand() - buffer_.size())));
      buffer_.insert(buffer_.end(), part.begin(), part.end());
      position_ += part.size();
      received_ += part.size();
      bytes = bytes.subspan(part.size());
      if (!due()) continue;
      flush();
    }
    SHUNT_TRY(filler_.go_on(*this));
  }
  return {};
}

bool FillJob::holds(std::uint64_t block) const {
  const std::uint64_t block_size = filler_.store_->block_size();
  return buffer_at_ / block_size <= block &&
         std::min((block + 1) * block_size, filler_.store_->size()) <= position();
}

void FillJob::keep() {
  const std::lock_guard lock(buffer_mutex_);
  if (started_) flush();
}

void FillJob::keep_if_due() {
  const std::lock_guard lock(buffer_mutex_);
  if (started_ && !buffer_.empty() && due()) flush();
}

bool FillJob::due() const {
  const std::uint64_t block_size = filler_.store_->block_size();
  if (buffer_.size() < block_size && position() != filler_.store_->size()) return false;
  if (buffer_.size() >= most_in_hand()) return true;
  const auto since = Clock::now() - last_flush_;
  if (since >= kLongest) return true;
  if (buffer_.size() < kFastBatch && since < kFast && received_ > buffer_.size()) return false;
  const std::uint64_t first = buffer_at_ / block_size;
  return filler_.awaited({first, first + buffer_.size() / block_size + 1});
}

void FillJob::flush() {
  last_flush_ = Clock::now();
  const std::uint64_t block_size = filler_.store_->block_size();
  const bool at_end = position() == filler_.store_->size();
  const std::uint64_t whole = at_end ? buffer_.size() : round_down(buffer_.size(), block_size);
  const std::uint64_t first = buffer_at_ / block_size;
  const std::uint64_t count = (whole + block_size - 1) / block_size;
  // Of a blob that is sent as a whole, some blocks may be there already.
  for (std::uint64_t i = 0; i < count;) {
    if (filler_.has(first + i)) {
      ++i;
      continue;
    }
    std::uint64_t end = i + 1;
    while (end < count && !filler_.has(first + end)) ++end;
    const std::uint64_t from = i * block_size;
    filler_.put(first + i, std::span(buffer_).subspan(
                               static_cast<std::size_t>(from),
                               static_cast<std::size_t>(std::min(end * block_size, whole) - from)));
    i = end;
  }
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(whole));
  buffer_at_ += whole;
}

BlockRun FillJob::rest() const {
  if (!started_) return run;
  return {std::min(position() / filler_.store_->block_size(), run.end), run.end};
}

double FillJob::rate() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - first_byte_).count();
  constexpr std::uint64_t kEnough = std::uint64_t{1} << 20;
  return started_ && received_ >= kEnough && seconds > 0 ? static_cast<double>(received_) / seconds
                                                         : 0;
}

void FillJob::finished(Result<void> outcome) {
  const Result<void> kept = catching([this]() -> Result<void> {
    keep();
    return {};
  });
  if (outcome && !kept) outcome = kept.error();
  filler_.finished(*this, std::move(outcome));  // destroys this
}

}  // namespace shunt::cache
