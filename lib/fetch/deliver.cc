#include "fetch/deliver.h"

#include <algorithm>

#include "base/checked.h"
#include "io/file_system.h"
#include "io/page_cache.h"
#include "io/sha256.h"
#include "io/stream_copy.h"
#include "layout/layout.h"
#include "layout/realise.h"

namespace shunt::fetch {
namespace {

// Between two looks at the cancel token, and two strokes of the progress bar.
constexpr std::uint64_t kStep = std::uint64_t{4} << 20;
// Sharing extents makes the kernel write them out first: done in large stretches, that runs beside
// the download.
constexpr std::uint64_t kShareStep = std::uint64_t{32} << 20;
constexpr std::uint64_t kShareUnit = 4096;

std::uint64_t total(const std::vector<ByteRange>& ranges) {
  std::uint64_t sum = 0;
  for (const ByteRange range : ranges) sum += range.size();
  return sum;
}

Result<void> check_digest(const std::string& found, const Opened& opened) {
  if (found == opened.digest) return {};
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.path = opened.name;
  error.operation = "verify";
  error.reason = "its digest is " + found;
  return error;
}

// The digest of a blob that goes by in order, for those that cannot be read a second time.
class PassingDigest {
 public:
  PassingDigest(const Opened& opened, const std::vector<ByteRange>& ranges)
      : opened_(opened),
        whole_(!opened.digest.empty() && ranges.size() == 1 &&
               ranges.front() == ByteRange{0, opened.source->size()}) {}

  [[nodiscard]] bool wanted() const { return whole_; }
  void update(std::span<const std::byte> bytes) {
    if (whole_) sha_.update(bytes);
  }
  // Whether the blob has been verified.
  [[nodiscard]] Result<bool> finish() const {
    if (!whole_) return false;
    SHUNT_TRY(check_digest("sha256:" + sha_.hex(), opened_));
    return true;
  }

 private:
  const Opened& opened_;
  bool whole_;
  io::Sha256 sha_;
};

Result<void> update_from(const io::Source& source, ByteRange range, PassingDigest& digest) {
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  while (!range.empty()) {
    const auto part = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.size())));
    SHUNT_TRY(io::read_exactly(source, range.begin, part));
    digest.update(part);
    range.begin += part.size();
  }
  return {};
}

// The digest of what lies in a file already.
Result<bool> verify_local(const Opened& opened, const CancelToken* cancel) {
  if (opened.digest.empty()) return false;
  io::Sha256 sha;
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  for (std::uint64_t at = 0; at < opened.source->size();) {
    if (cancel != nullptr) SHUNT_TRY(cancel->check());
    SHUNT_ASSIGN(const std::size_t got, opened.source->read_at(at, buffer));
    if (got == 0) return corrupt("the file ends too early", at).with_path(opened.name);
    sha.update(std::span(buffer).first(got));
    at += got;
  }
  SHUNT_TRY(check_digest("sha256:" + sha.hex(), opened));
  return true;
}

// Holds the blob against its digest once all of it is there.
Result<Delivered> verify_whole(const Opened& opened, Progress* progress) {
  const cache::CachedSource& cached = *opened.cached;
  if (opened.digest.empty() || !cached.missing({0, cached.size()}).empty()) return Delivered{};
  SHUNT_ASSIGN(const bool verified, cached.verify(progress));
  return Delivered{verified};
}

// ---- to a file ----------------------------------------------------------------------------------

// Writes parts of a cached blob to their places in a file, in whatever order they come.
class FileDelivery {
 public:
  FileDelivery(const Opened& opened, const std::vector<ByteRange>& ranges, io::File& out,
               const DeliverOptions& options)
      : opened_(opened), out_(out), options_(options), digest_(opened, ranges) {
    std::uint64_t at = 0;
    for (const ByteRange range : ranges) {
      left_.push_back(range);
      places_.push_back(at - range.begin);  // modulo 2^64: added to a place in the blob
      at += range.size();
    }
  }

  Result<Delivered> run() {
    const cache::CachedSource& cached = *opened_.cached;
    SHUNT_ASSIGN(const io::FileSystem file_system, io::FileSystem::of(out_));
    sharing_ = file_system.clone_range;
    uncached_ = !sharing_ && io::supports_uncached(out_);
    cached.will_need(left_);
    if (options_.progress != nullptr) options_.progress->begin("fetching", total(left_));
    while (next()) {
      if (options_.cancel != nullptr) SHUNT_TRY(options_.cancel->check());
      if (cached.backing_file().file == nullptr) {
        SHUNT_TRY(copy_in_order());
        continue;
      }
      SHUNT_ASSIGN(const cache::CachedSource::Part part, cached.wait_for_any(left_));
      SHUNT_TRY(take(part));
    }
    SHUNT_TRY(share(1));
    if (in_order_) {
      SHUNT_ASSIGN(const bool verified, digest_.finish());
      return Delivered{verified};
    }
    SHUNT_ASSIGN(const Delivered delivered, verify_whole(opened_, options_.progress));
    if (delivered.verified || !digest_.wanted()) return delivered;
    // Some of it was in memory only: what was written is all there is to look at.
    SHUNT_TRY(check_written());
    return Delivered{true};
  }

 private:
  // Drops what is done; whether anything is left.
  bool next() {
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

  Result<void> take(const cache::CachedSource::Part& part) {
    const ByteRange range = ByteRange::of(
        part.range.begin, sharing_ ? part.range.size() : std::min(part.range.size(), kStep));
    const std::uint64_t place = places_[part.index];
    taken_ = true;
    if (sharing_) {
      SHUNT_TRY(take_shared(range, place));
    } else {
      SHUNT_TRY(copy(range, place));
    }
    if (options_.progress != nullptr) options_.progress->advance(range.size());
    const ByteRange whole = left_[part.index];
    left_[part.index].end = range.begin;
    if (range.end < whole.end) {
      left_.insert(left_.begin() + static_cast<std::ptrdiff_t>(part.index) + 1,
                   {range.end, whole.end});
      places_.insert(places_.begin() + static_cast<std::ptrdiff_t>(part.index) + 1, place);
    }
    return {};
  }

  Result<void> copy(ByteRange range, std::uint64_t place) {
    const io::FileRange file = opened_.cached->backing_file();
    if (file.file == nullptr || uncached_) return copy_buffered(range, place);
    for (std::uint64_t at = range.begin; at < range.end;) {
      const ByteRange rest = ByteRange{at, range.end}.moved_by(file.begin);
      const Result<std::uint64_t> copied = out_.copy_from(*file.file, rest, place + at);
      // Between two file systems the kernel may decline. A file that was cut, or a disk that cannot
      // be read, is found out and mended by reading through the cache; and when it is the output
      // that fails, it does so again.
      if (!copied || *copied == 0) {
        SHUNT_TRY(copy_buffered({at, range.end}, place));
        break;
      }
      at += *copied;
    }
    io::start_writing(out_, range.moved_by(place));
    return {};
  }

  Result<void> copy_buffered(ByteRange range, std::uint64_t place) {
    buffer_.resize(std::size_t{1} << 20);
    while (!range.empty()) {
      const auto part = std::span(buffer_).first(
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), range.size())));
      SHUNT_TRY(io::read_exactly(*opened_.source, range.begin, part));
      SHUNT_TRY(out_.write_at(place + range.begin, part,
                              uncached_ ? io::Caching::kDrop : io::Caching::kKeep));
      if (in_order_) digest_.update(part);
      range.begin += part.size();
    }
    return {};
  }

  // Through memory: the blocks come in order and do not stay.
  Result<void> copy_in_order() {
    in_order_ = in_order_ || !taken_;
    const ByteRange step =
        ByteRange::of(left_.front().begin, std::min(left_.front().size(), kStep));
    SHUNT_TRY(copy_buffered(step, places_.front()));
    left_.front().begin = step.end;
    if (options_.progress != nullptr) options_.progress->advance(step.size());
    return {};
  }

  // Collects what can be shared until it is worth it.
  Result<void> take_shared(ByteRange range, std::uint64_t place) {
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

  // Shares stretches of at least `least` bytes.
  Result<void> share(std::uint64_t least) {
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

  Result<void> share_one(ByteRange range, std::uint64_t place) {
    const io::FileRange file = opened_.cached->backing_file();
    // Whole units of the file system, or up to the end of both files.
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
      // Another file system, too many references, a file that is not copied on write.
      sharing_ = false;
      return copy(range, place);
    }
    if (whole.begin > range.begin) SHUNT_TRY(copy({range.begin, whole.begin}, place));
    if (whole.end < range.end) SHUNT_TRY(copy({whole.end, range.end}, place));
    return {};
  }

  Result<void> check_written() {
    io::Sha256 sha;
    buffer_.resize(std::size_t{1} << 20);
    for (std::uint64_t at = 0; at < opened_.source->size();) {
      SHUNT_ASSIGN(const std::size_t got, out_.read_at(at, buffer_));
      if (got == 0) return corrupt("the new file ends too early", at);
      sha.update(std::span(buffer_).first(got));
      at += got;
    }
    return check_digest("sha256:" + sha.hex(), opened_);
  }

  struct Ready {
    ByteRange range;
    std::uint64_t place = 0;
  };

  const Opened& opened_;
  io::File& out_;
  const DeliverOptions& options_;
  PassingDigest digest_;
  std::vector<ByteRange> left_;
  std::vector<std::uint64_t> places_;  // of left_
  std::vector<Ready> ready_;
  std::vector<std::byte> buffer_;
  bool sharing_ = false;   // extents of the cache's file
  bool uncached_ = false;  // written past the page cache, which has the bytes once already
  bool taken_ = false;     // some of it came through take()
  bool in_order_ = false;  // all of it came through copy_in_order()
};

Error cannot_keep(const Opened& opened) {
  Error error;
  error.code = ErrorCode::kLocalIo;
  error.path = opened.name;
  error.reason = "the cache cannot keep it";
  return error;
}

layout::Layout layout_of(const Opened& opened, const std::vector<ByteRange>& ranges) {
  layout::Layout layout(opened.name);
  for (const ByteRange range : ranges) {
    if (!range.empty()) layout.append(opened.source, range);
  }
  return layout;
}

}  // namespace

Result<Delivered> write_ranges(const Opened& opened, const std::vector<ByteRange>& ranges,
                               io::File& out, const DeliverOptions& options) {
  if (opened.cached != nullptr) return FileDelivery(opened, ranges, out, options).run();
  SHUNT_ASSIGN(const bool verified, verify_local(opened, options.cancel));
  SHUNT_TRY(layout::write_file(layout_of(opened, ranges), out, {options.cancel, options.progress}));
  return Delivered{verified};
}

// ---- to a stream --------------------------------------------------------------------------------

Result<Delivered> stream_ranges(const Opened& opened, const std::vector<ByteRange>& ranges,
                                io::File& out, const DeliverOptions& options) {
  if (options.progress != nullptr) options.progress->begin("fetching", total(ranges));
  io::StreamCopy stream(out, options.cancel);
  if (opened.cached == nullptr) {
    SHUNT_ASSIGN(const bool verified, verify_local(opened, options.cancel));
    const io::FileRange file = opened.source->in_file();
    if (file.file == nullptr) {
      SHUNT_TRY(layout::write_stream(layout_of(opened, ranges), out, {options.cancel, nullptr}));
      return Delivered{verified};
    }
    for (ByteRange rest : ranges) {
      while (!rest.empty()) {
        if (options.cancel != nullptr) SHUNT_TRY(options.cancel->check());
        const ByteRange step = ByteRange::of(rest.begin, std::min(rest.size(), kStep));
        ByteRange in_file = step.moved_by(file.begin);
        SHUNT_TRY(stream.append(*file.file, in_file));
        if (options.progress != nullptr) options.progress->advance(step.size());
        rest.begin = step.end;
      }
    }
    return Delivered{verified};
  }

  const cache::CachedSource& cached = *opened.cached;
  cached.will_need(ranges);
  PassingDigest digest(opened, ranges);
  bool passed_by = false;  // all bytes went through `digest`
  bool any = false;
  std::vector<std::byte> buffer;
  for (ByteRange rest : ranges) {
    while (!rest.empty()) {
      if (options.cancel != nullptr) SHUNT_TRY(options.cancel->check());
      SHUNT_ASSIGN(ByteRange part, cached.wait_for_start(rest));
      part.end = std::min(part.end, part.begin + kStep);
      const io::FileRange file = cached.backing_file();
      ByteRange in_file = part.moved_by(file.begin);
      if (file.file != nullptr && stream.append(*file.file, in_file)) {
        passed_by = false;
      } else {
        // From memory; or the kernel could not, so that we hear why, or read what can be mended.
        if (file.file != nullptr) part.begin = in_file.begin - file.begin;
        if (!passed_by && any && digest.wanted()) {
          // What has gone out without being looked at is looked at now.
          SHUNT_TRY(update_from(cached, {0, part.begin}, digest));
        }
        passed_by = true;
        buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), 1 << 20)));
        part.end = part.begin + buffer.size();
        SHUNT_TRY(io::read_exactly(cached, part.begin, buffer));
        SHUNT_TRY(out.write_next(buffer));
        digest.update(buffer);
      }
      any = true;
      if (options.progress != nullptr) options.progress->advance(part.end - rest.begin);
      rest.begin = part.end;
    }
  }
  if (passed_by) {
    SHUNT_ASSIGN(const bool verified, digest.finish());
    return Delivered{verified};
  }
  return verify_whole(opened, options.progress);
}

// ---- to the cache -------------------------------------------------------------------------------

Result<Delivered> cache_ranges(const Opened& opened, const std::vector<ByteRange>& ranges,
                               const DeliverOptions& options) {
  if (opened.cached == nullptr) {
    SHUNT_ASSIGN(const bool verified, verify_local(opened, options.cancel));
    return Delivered{verified};
  }
  const cache::CachedSource& cached = *opened.cached;
  if (options.progress != nullptr) options.progress->begin("fetching", total(ranges));
  cached.will_need(ranges);
  std::vector<ByteRange> left = ranges;
  while (true) {
    std::erase_if(left, [](ByteRange range) { return range.empty(); });
    if (left.empty()) break;
    if (options.cancel != nullptr) SHUNT_TRY(options.cancel->check());
    SHUNT_ASSIGN(const cache::CachedSource::Part part, cached.wait_for_any(left));
    if (cached.backing_file().file == nullptr) return cannot_keep(opened);
    const ByteRange whole = left[part.index];
    left[part.index].end = part.range.begin;
    if (part.range.end < whole.end) left.push_back({part.range.end, whole.end});
    if (options.progress != nullptr) options.progress->advance(part.range.size());
  }
  if (cached.backing_file().file == nullptr) return cannot_keep(opened);
  return verify_whole(opened, options.progress);
}

}  // namespace shunt::fetch
