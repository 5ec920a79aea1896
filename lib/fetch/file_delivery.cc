#include "shunt/fetch/file_delivery.h"

#include <algorithm>

#include "shunt/base/checked.h"
#include "shunt/fetch/steps.h"
#include "shunt/files/file_system.h"
#include "shunt/io/page_cache.h"

namespace shunt::fetch {
namespace {

// The kernel writes extents out before it shares them: in large stretches, this overlaps with the
// download.
constexpr std::uint64_t kShareStep = std::uint64_t{32} << 20;
constexpr std::uint64_t kShareUnit = 4096;

}  // namespace

FileDelivery::FileDelivery(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                           io::File& out, const Context& context)
    : opened_(opened), out_(out), context_(context), digest_(opened, ranges) {
  std::uint64_t at = 0;
  for (const ByteRange range : ranges) {
    left_.push_back(range);
    places_.push_back(at - range.begin);  // modulo 2^64; added to an offset in the blob
    at += range.size();
  }
}

Result<Delivered> FileDelivery::run() {
  const io::FarAway& far = *opened_.far_away();
  SHUNT_ASSIGN(const files::FileSystem file_system, files::FileSystem::of(out_));
  sharing_ = file_system.clone_range;
  uncached_ = !sharing_ && io::supports_uncached(out_);
  far.will_need(left_);
  context_.begin("fetching", total(left_));
  while (next()) {
    SHUNT_TRY(context_.check());
    if (far.backing_file().file == nullptr) {
      SHUNT_TRY(copy_in_order());
      continue;
    }
    SHUNT_ASSIGN(const io::FarAway::Part part, far.wait_for_any(left_));
    SHUNT_TRY(take(part));
  }
  SHUNT_TRY(share(1));
  if (in_order_) {
    SHUNT_ASSIGN(const bool verified, digest_.finish());
    return Delivered{verified};
  }
  SHUNT_ASSIGN(const Delivered delivered, verify_whole(opened_, context_));
  if (delivered.verified || !digest_.wanted()) return delivered;
  // Some of it was only in memory: checks what was written.
  const io::BorrowedFileSource written(out_, opened_.source->size());
  SHUNT_ASSIGN(const bool verified, verify_bytes(opened_, written, context_.cancel));
  return Delivered{verified};
}

bool FileDelivery::next() {
  for (std::size_t i = 0; i < left_.size();) {
    if (left_[i].empty()) {
      left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(i));
      places_.erase(places_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
  return !left_.empty();
}

Result<void> FileDelivery::take(const io::FarAway::Part& part) {
  const ByteRange range = ByteRange::of(
      part.range.begin, sharing_ ? part.range.size() : std::min(part.range.size(), kStep));
  const std::uint64_t place = places_[part.index];
  taken_ = true;
  if (sharing_) {
    SHUNT_TRY(take_shared(range, place));
  } else {
    SHUNT_TRY(copy(range, place));
  }
  context_.advance(range.size());
  const ByteRange whole = left_[part.index];
  left_[part.index].end = range.begin;
  if (range.end < whole.end) {
    left_.insert(left_.begin() + static_cast<std::ptrdiff_t>(part.index) + 1,
                 {range.end, whole.end});
    places_.insert(places_.begin() + static_cast<std::ptrdiff_t>(part.index) + 1, place);
  }
  return {};
}

Result<void> FileDelivery::copy(ByteRange range, std::uint64_t place) {
  const io::FileRange file = opened_.far_away()->backing_file();
  if (file.file == nullptr || uncached_) return copy_buffered(range, place);
  for (std::uint64_t at = range.begin; at < range.end;) {
    const ByteRange rest = ByteRange{at, range.end}.moved_by(file.begin);
    const Result<std::uint64_t> copied = out_.copy_from(*file.file, rest, place + at);
    // The kernel may refuse between two file systems. A truncated cache file or a read error is
    // detected and repaired by reading through the cache; an error of the output will show again.
    if (!copied || *copied == 0) {
      SHUNT_TRY(copy_buffered({at, range.end}, place));
      break;
    }
    at += *copied;
  }
  io::start_writing(out_, range.moved_by(place));
  return {};
}

Result<void> FileDelivery::copy_buffered(ByteRange range, std::uint64_t place) {
  buffer_.resize(std::size_t{1} << 20);
  std::uint64_t at = place + range.begin;
  return io::read_in_pieces(
      *opened_.source, range, buffer_, [&](std::span<const std::byte> piece) -> Result<void> {
        SHUNT_TRY(out_.write_at(at, piece, uncached_ ? io::Caching::kDrop : io::Caching::kKeep));
        if (in_order_) digest_.update(piece);
        at += piece.size();
        return {};
      });
}

Result<void> FileDelivery::copy_in_order() {
  in_order_ = in_order_ || !taken_;
  const ByteRange step = ByteRange::of(left_.front().begin, std::min(left_.front().size(), kStep));
  SHUNT_TRY(copy_buffered(step, places_.front()));
  left_.front().begin = step.end;
  context_.advance(step.size());
  return {};
}

Result<void> FileDelivery::take_shared(ByteRange range, std::uint64_t place) {
  for (Ready& ready : ready_) {
    if (ready.place != place) continue;
    if (ready.range.end == range.begin) {
      ready.range.end = range.end;
      return share(kShareStep);
    }
    if (range.end == ready.range.begin) {
      ready.range.begin = range.begin;
      return share(kShareStep);
    }
  }
  ready_.push_back({range, place});
  return share(kShareStep);
}

Result<void> FileDelivery::share(std::uint64_t least) {
  for (std::size_t i = 0; i < ready_.size();) {
    if (ready_[i].range.size() < least) {
      ++i;
      continue;
    }
    const Ready ready = ready_[i];
    ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(i));
    SHUNT_TRY(share_one(ready.range, ready.place));
  }
  return {};
}

Result<void> FileDelivery::share_one(ByteRange range, std::uint64_t place) {
  const io::FileRange file = opened_.far_away()->backing_file();
  // Whole blocks of the file system, or up to the end of both files.
  const ByteRange whole{
      round_up(range.begin, kShareUnit),
      range.end == opened_.source->size()
          ? range.end
          : std::max(round_up(range.begin, kShareUnit), round_down(range.end, kShareUnit))};
  const bool aligned = place % kShareUnit == 0 && file.begin % kShareUnit == 0;
  if (file.file == nullptr || !aligned || whole.begin >= whole.end) return copy(range, place);
  const Result<void> shared =
      out_.clone_from(*file.file, whole.moved_by(file.begin), place + whole.begin);
  if (!shared) {
    // Another file system, too many references, or a file without copy-on-write.
    sharing_ = false;
    return copy(range, place);
  }
  if (whole.begin > range.begin) SHUNT_TRY(copy({range.begin, whole.begin}, place));
  if (whole.end < range.end) SHUNT_TRY(copy({whole.end, range.end}, place));
  return {};
}

}  // namespace shunt::fetch
