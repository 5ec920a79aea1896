#include "shunt/in_place/shift.h"

#include <fcntl.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "shunt/base/checked.h"
#include "shunt/io/page_cache.h"
#include "shunt/layout/overwrite.h"
#include "shunt/streams/direct_file.h"
#include "shunt/streams/transfer.h"

namespace shunt::in_place {
namespace {

constexpr std::uint64_t kLargestBuffer = std::uint64_t{4} << 20;
// The kernel reads about this much per call of posix_fadvise.
constexpr std::uint64_t kReadAheadPiece = std::uint64_t{1} << 20;

enum class Direction { kTowardsEnd, kBack };

// Yields the pieces of a shift in the order in which they are moved: steps in the direction of the
// shift, each from its front, holes separate from data. Runs ahead in the reading thread: it only
// reads bytes that no step so far writes to.
class Pieces {
 public:
  // `direct` is not owned and may be null.
  Pieces(const Shift& shift, const streams::DirectFile* direct, ByteRange old, Direction direction)
      : shift_(shift), direct_(direct), direction_(direction), left_(old) {}

  // Returns false at the end.
  Result<bool> fill(streams::Block& block) {
    if (step_.empty()) {
      if (left_.empty() && next_.empty()) return false;
      begin_step();
    } else if (next_.empty()) {
      look_ahead();  // the first block of this step is being written meanwhile
    }
    const std::uint64_t from = step_.begin + source_offset();
    if (data_.end <= from) {
      SHUNT_ASSIGN(data_, shift_.file->next_data(from));
      if (data_.end <= from) return made_shorter();
    }
    block.at = step_.begin;
    if (data_.begin > from) {
      block.zeros = std::min(data_.begin - from, step_.size());
      block.data = {};
    } else {
      const std::uint64_t size =
          std::min({step_.size(), data_.end - from, std::uint64_t{block.data.size()}});
      block.data = block.data.first(static_cast<std::size_t>(size));
      SHUNT_ASSIGN(const std::size_t got, read_at(from, block.data));
      if (got < block.data.size()) {
        return made_shorter();
      }
    }
    add_to_digest(block);
    step_.begin += block.data.size() + block.zeros;
    block.ends_step = step_.empty();
    block.was_cached = was_cached_;
    if (block.ends_step) block.digest = XXH3_64bits_digest(digest_.get());
    return true;
  }

 private:
  // Offset from an old position to where it is read: its place before the step.
  [[nodiscard]] std::uint64_t source_offset() const {
    return direction_ == Direction::kBack ? shift_.distance : 0;
  }

  [[nodiscard]] Error made_shorter() const {
    Error error;
    error.code = ErrorCode::kBusy;
    error.path = shift_.file->path();
    error.operation = "shift";
    error.reason = "another program has truncated it";
    return error;
  }

  void add_to_digest(const streams::Block& block) {
    static constexpr std::array<std::byte, 65536> kZeros{};
    XXH3_64bits_update(digest_.get(), block.data.data(), block.data.size());
    for (std::uint64_t left = block.zeros; left > 0;) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left, kZeros.size()));
      XXH3_64bits_update(digest_.get(), kZeros.data(), part);
      left -= part;
    }
  }

  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t from, std::span<std::byte> into) const {
    if (direct_ != nullptr && !was_cached_ && streams::DirectFile::is_aligned(from, into)) {
      Result<std::size_t> got = direct_->read_at(from, into);
      if (got || got.error().system_errno != EINVAL) return got;
      // Refused, or the file now ends inside a block.
    }
    return shift_.file->read_at(from, into, io::Caching::kDrop);
  }

  // Starts reading the next step while the current one is moved.
  void begin_step() {
    if (next_.empty()) look_ahead();
    step_ = std::exchange(next_, {});
    was_cached_ = next_was_cached_;
    data_ = {};
    XXH3_64bits_reset(digest_.get());
  }

  void look_ahead() {
    next_ = take_step();
    if (!next_.empty()) next_was_cached_ = read_ahead(next_.moved_by(source_offset()));
  }

  ByteRange take_step() {
    if (left_.empty()) return {};
    if (direction_ == Direction::kBack) {
      const ByteRange step{left_.begin, std::min(left_.end, left_.begin + shift_.distance)};
      left_.begin = step.end;
      return step;
    }
    const std::uint64_t lowest =
        left_.size() > shift_.distance ? left_.end - shift_.distance : left_.begin;
    // Rounding up keeps the step within the gap; the first step ends at the end of the file.
    const std::uint64_t begin = std::min(round_up(lowest, shift_.unit), left_.end);
    const ByteRange step{begin == left_.end ? left_.begin : begin, left_.end};
    left_.end = step.begin;
    return step;
  }

  // Steps come in an order that defeats the kernel's read-ahead, and it reads little per advice.
  // With advice piece by piece, all of a step is read at once. Returns true if most of it was
  // cached before.
  bool read_ahead(ByteRange source) {
    if (io::cached_bytes(*shift_.file, source).value_or(0) >= source.size() / 2) return true;
    if (direct_ != nullptr) return false;  // direct reads bypass the cache
    for (std::uint64_t at = source.begin; at < source.end; at += kReadAheadPiece) {
      ::posix_fadvise(shift_.file->fd(), static_cast<off_t>(at),
                      static_cast<off_t>(std::min(kReadAheadPiece, source.end - at)),
                      POSIX_FADV_WILLNEED);
    }
    return false;
  }

  const Shift& shift_;
  const streams::DirectFile* direct_;
  Direction direction_;
  ByteRange left_;  // old positions not yet taken by a step
  ByteRange step_;  // rest of the current step
  ByteRange next_;  // the next step
  bool next_was_cached_ = false;
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> digest_{XXH3_createState(),
                                                                         &XXH3_freeState};
  bool was_cached_ = false;  // most of the current step, before it was read
  ByteRange data_;           // the data found by the last look, at its current place
};

// Keeps what was written in the page cache only if its source was there. RWF_DONTCACHE alone is not
// enough: pages of overwritten blocks stay, and so do those that read_ahead has read.
void drop_cache(const Shift& shift, ByteRange step, Direction direction) {
  const bool back = direction == Direction::kBack;
  io::drop_cached(*shift.file, step.moved_by(back ? shift.distance : 0));
  io::drop_cached(*shift.file, step.moved_by(back ? 0 : shift.distance));
}

// Disables the kernel's read-ahead during its lifetime: behind the range that is read lie bytes
// just moved, which would be read in vain and then count as cached.
class NoReadahead {
 public:
  explicit NoReadahead(const io::File& file) : file_(file) {
    ::posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_RANDOM);
  }
  ~NoReadahead() { ::posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_NORMAL); }
  NoReadahead(const NoReadahead&) = delete;
  NoReadahead& operator=(const NoReadahead&) = delete;

 private:
  const io::File& file_;
};

Result<void> run(const Shift& shift, ByteRange old, Direction direction) {
  if (old.empty()) return {};
  const NoReadahead exactly(*shift.file);
  // Closed before anything checks that the file is open only once.
  std::optional<streams::DirectFile> direct = streams::DirectFile::open(*shift.file);
  Pieces pieces(shift, direct ? &*direct : nullptr, old, direction);
  std::uint64_t step_begin = UINT64_MAX;
  const auto settle = [&](const ShiftStep& step, bool was_cached) -> Result<void> {
    SHUNT_TRY(shift.settle(step));
    if (!was_cached) {
      drop_cache(shift, {std::min(step.from, step.to), std::max(step.from, step.to)}, direction);
    }
    if (!shift.should_stop || !shift.should_stop()) return {};
    Error error;
    error.code = ErrorCode::kInterrupted;
    error.path = shift.file->path();
    error.operation = "shift";
    error.reason = "interrupted";
    return error;
  };
  const auto drain = [&](const streams::Block& block) -> Result<void> {
    const std::uint64_t to = block.at + (direction == Direction::kTowardsEnd ? shift.distance : 0);
    step_begin = std::min(step_begin, block.at);
    if (block.zeros > 0) {
      SHUNT_TRY(layout::clear_range(*shift.file, ByteRange::of(to, block.zeros), shift.unit));
    } else if (direct && !block.was_cached && streams::DirectFile::is_aligned(to, block.data)) {
      SHUNT_TRY(direct->write_at(to, block.data));
    } else {
      SHUNT_TRY(shift.file->write_at(to, block.data, io::Caching::kDrop));
      // Lets the disk write while more is read.
      io::start_writing(*shift.file, ByteRange::of(to, block.data.size()));
    }
    if (!block.ends_step) return {};
    const std::uint64_t step_end = block.at + block.data.size() + block.zeros;
    const bool back = direction == Direction::kBack;
    const ShiftStep step{back ? step_begin : step_end, back ? step_end : step_begin, block.digest};
    step_begin = UINT64_MAX;
    return settle(step, block.was_cached);
  };
  streams::TransferOptions options;
  options.context.progress = shift.progress;
  // Reading continues while a step is synced, as far as the buffers reach.
  options.buffer_size =
      static_cast<std::size_t>(std::min(kLargestBuffer, std::max(shift.distance, shift.unit)));
  return streams::transfer([&](streams::Block& block) { return pieces.fill(block); }, drain,
                           options);
}

}  // namespace

Result<void> shift_towards_end(const Shift& shift, ByteRange old) {
  return run(shift, old, Direction::kTowardsEnd);
}

Result<void> shift_back(const Shift& shift, ByteRange old) {
  return run(shift, old, Direction::kBack);
}

}  // namespace shunt::in_place
