#include "layout/shift.h"

#include <fcntl.h>

#include <algorithm>

#include "base/checked.h"
#include "io/page_cache.h"
#include "io/transfer.h"
#include "layout/overwrite.h"

namespace shunt::layout {
namespace {

constexpr std::uint64_t kLargestBuffer = std::uint64_t{8} << 20;

enum class Direction { kTowardsEnd, kBack };

// Yields the pieces of a shift in the order in which they are moved: steps in the order of the
// direction, each from its front, holes apart from data. Runs ahead in the reading thread: it only
// reads bytes that no step up to the one in hand writes to.
class Pieces {
 public:
  Pieces(const Shift& shift, ByteRange old, Direction direction)
      : shift_(shift), direction_(direction), left_(old) {}

  // False at the end.
  Result<bool> fill(io::Block& block) {
    if (step_.empty()) {
      if (left_.empty()) return false;
      begin_step();
    }
    const std::uint64_t from = step_.begin + source_offset();
    if (data_.end <= from) {
      SHUNT_ASSIGN(data_, shift_.file->next_data(from));
    }
    block.at = step_.begin;
    if (data_.begin > from) {
      block.zeros = std::min(data_.begin - from, step_.size());
      block.data = {};
    } else {
      const std::uint64_t size =
          std::min({step_.size(), data_.end - from, std::uint64_t{block.data.size()}});
      block.data = block.data.first(static_cast<std::size_t>(size));
      SHUNT_ASSIGN(const std::size_t got,
                   shift_.file->read_at(from, block.data, io::Caching::kDrop));
      if (got < block.data.size()) {
        Error error;
        error.path = shift_.file->path();
        error.operation = "shift";
        error.reason = "the file has become shorter in the meantime";
        return error;
      }
    }
    step_.begin += block.data.size() + block.zeros;
    block.ends_step = step_.empty();
    return true;
  }

 private:
  // Where an old position is read from: where the bytes lie before the step.
  [[nodiscard]] std::uint64_t source_offset() const {
    return direction_ == Direction::kBack ? shift_.distance : 0;
  }

  void begin_step() {
    data_ = {};
    if (direction_ == Direction::kTowardsEnd) {
      const std::uint64_t lowest =
          left_.size() > shift_.distance ? left_.end - shift_.distance : left_.begin;
      // Rounding up keeps the step within the gap; the first one ends wherever the file does.
      const std::uint64_t begin = std::min(round_up(lowest, shift_.unit), left_.end);
      step_ = {begin == left_.end ? left_.begin : begin, left_.end};
      left_.end = step_.begin;
    } else {
      step_ = {left_.begin, std::min(left_.end, left_.begin + shift_.distance)};
      left_.begin = step_.end;
    }
  }

  const Shift& shift_;
  Direction direction_;
  ByteRange left_;  // old positions that no step has taken yet
  ByteRange step_;  // what is left of the step at hand
  ByteRange data_;  // the stretch of data that the last look found, where it lies now
};

// What was written stays in the page cache only if what it came from was there. RWF_DONTCACHE alone
// does not see to that: pages of blocks that are overwritten stay. `uncached` says whether reading
// the step left the cache alone, so that it still tells what was there before.
void drop_cache(const Shift& shift, ByteRange step, Direction direction, bool uncached) {
  const bool back = direction == Direction::kBack;
  const ByteRange from = step.moved_by(back ? shift.distance : 0);
  const ByteRange to = step.moved_by(back ? 0 : shift.distance);
  const auto drop = [&](ByteRange range) {
    ::posix_fadvise(shift.file->fd(), static_cast<off_t>(range.begin),
                    static_cast<off_t>(range.size()), POSIX_FADV_DONTNEED);
  };
  if (!uncached) drop(from);
  if (!uncached || io::cached_bytes(*shift.file, from).value_or(0) < from.size() / 2) drop(to);
}

Result<void> run(const Shift& shift, ByteRange old, Direction direction) {
  if (old.empty()) return {};
  const bool uncached = io::supports_uncached(*shift.file);
  Pieces pieces(shift, old, direction);
  std::uint64_t step_begin = UINT64_MAX;
  const auto drain = [&](const io::Block& block) -> Result<void> {
    const std::uint64_t to = block.at + (direction == Direction::kTowardsEnd ? shift.distance : 0);
    step_begin = std::min(step_begin, block.at);
    if (block.zeros > 0) {
      SHUNT_TRY(clear_range(*shift.file, ByteRange::of(to, block.zeros), shift.unit));
    } else {
      SHUNT_TRY(shift.file->write_at(to, block.data, io::Caching::kDrop));
    }
    if (!block.ends_step) return {};
    const ByteRange step{step_begin, block.at + block.data.size() + block.zeros};
    step_begin = UINT64_MAX;
    // First the bytes, then the cursor: a cursor on disk vouches for the bytes behind it.
    SHUNT_TRY(shift.file->sync_data());
    SHUNT_TRY(shift.set_cursor(direction == Direction::kTowardsEnd ? step.begin : step.end));
    drop_cache(shift, step, direction, uncached);
    if (!shift.should_stop || !shift.should_stop()) return {};
    Error error;
    error.code = ErrorCode::kInterrupted;
    error.path = shift.file->path();
    error.operation = "shift";
    error.reason = "interrupted";
    return error;
  };
  io::TransferOptions options;
  options.progress = shift.progress;
  // Reading goes on while a step is being synced, as far as the buffers reach.
  options.buffer_size =
      static_cast<std::size_t>(std::min(kLargestBuffer, std::max(shift.distance, shift.unit)));
  return io::transfer([&](io::Block& block) { return pieces.fill(block); }, drain, options);
}

}  // namespace

Result<void> shift_towards_end(const Shift& shift, ByteRange old) {
  return run(shift, old, Direction::kTowardsEnd);
}

Result<void> shift_back(const Shift& shift, ByteRange old) {
  return run(shift, old, Direction::kBack);
}

}  // namespace shunt::layout
