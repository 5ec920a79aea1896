#include "shunt/cache/cached_source.h"

#include <algorithm>
#include <atomic>

#include "shunt/base/checked.h"
#include "shunt/base/log.h"
#include "shunt/cache/entry_format.h"
#include "shunt/cache/filler.h"
#include "shunt/io/sha256.h"

namespace shunt::cache {
namespace {

// A read is split into pieces of this size, so that a large one fits into a store in memory.
constexpr std::uint64_t kPiece = std::uint64_t{2} << 20;
constexpr std::uint64_t kFirstAhead = std::uint64_t{256} << 10;
constexpr std::uint64_t kMostAhead = std::uint64_t{8} << 20;  // per connection
// Readers that share a small store in memory may drop one another's blocks before they are read.
// Such blocks are fetched again, at most this many times.
constexpr int kMaxRepeats = 100;

}  // namespace

CachedSource::CachedSource(std::shared_ptr<BlockStore> store, std::shared_ptr<blob::Origin> origin,
                           blob::Info info, const SourceOptions& options)
    : info_(std::move(info)),
      options_(options),
      store_(std::move(store)),
      filler_(std::make_unique<Filler>(store_, std::move(origin), options)) {}

CachedSource::~CachedSource() = default;

Result<std::string> CachedSource::identity() const {
  if (!info_.digest.empty()) return info_.digest;
  return info_.validator.empty() ? info_.name : info_.name + ' ' + info_.validator;
}

BlockRun CachedSource::blocks_of(ByteRange range) const {
  const std::uint64_t size = store_->block_size();
  if (range.empty()) return {range.begin / size, range.begin / size};
  return {range.begin / size, (range.end - 1) / size + 1};
}

ByteRange CachedSource::bytes_of(BlockRun run) const {
  const std::uint64_t size = store_->block_size();
  return {run.begin * size, std::min(run.end * size, info_.size)};
}

Error CachedSource::named(const Error& error) const {
  return error.path.empty() ? error.with_path(info_.name) : error;
}

// ---- reading ------------------------------------------------------------------------------------

Result<std::size_t> CachedSource::read_at(std::uint64_t offset, std::span<std::byte> into,
                                          io::Caching /*caching*/) const {
  if (offset >= info_.size) return std::size_t{0};
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), info_.size - offset));
  for (std::size_t done = 0; done < wanted;) {
    const ByteRange piece =
        ByteRange::of(offset + done, std::min<std::uint64_t>(wanted - done, kPiece));
    SHUNT_TRY(read_piece(piece, into.subspan(done, static_cast<std::size_t>(piece.size()))));
    done += static_cast<std::size_t>(piece.size());
  }
  return wanted;
}

Result<void> CachedSource::read_piece(ByteRange range, std::span<std::byte> into) const {
  const BlockRun run = blocks_of(range);
  const bool small = store_->capacity() != 0 || filler_->overflowing();
  for (int attempt = 0; attempt < kMaxRepeats; ++attempt) {
    bool there = !small;
    for (std::uint64_t block = run.begin; there && block < run.end; ++block) {
      there = store_->has(block);
    }
    if (!there || range.end > ahead_from_.load(std::memory_order_relaxed)) read_ahead(range);
    if (!there) {
      if (const Result<void> filled = filler_->need(run); !filled) return named(filled.error());
    }
    SHUNT_ASSIGN(const bool done, filler_->read(range.begin, into));
    if (done) {
      last_end_.store(range.end, std::memory_order_relaxed);
      return {};
    }
  }
  Error error;
  error.code = ErrorCode::kLocalIo;
  error.operation = "read";
  error.reason = "its blocks are removed from the cache as fast as they come";
  error.offset = range.begin;
  return named(error);
}

// Called for reads of missing blocks, and for reads near the end of what was fetched ahead.
void CachedSource::read_ahead(ByteRange range) const {
  if (planned_.load(std::memory_order_relaxed)) return;  // will_need() has said what is needed
  const Lock lock(ahead_mutex_);
  const std::uint64_t last_end = last_end_.load(std::memory_order_relaxed);
  const bool goes_on =
      range.begin <= last_end && last_end < range.end + store_->block_size() && last_end != 0;
  if (!goes_on) {
    ahead_ = 0;
    ahead_from_.store(UINT64_MAX, std::memory_order_relaxed);
    return;
  }
  const std::uint64_t most = kMostAhead * options_.connections;
  ahead_ = ahead_ == 0 ? kFirstAhead : std::min(ahead_ * 2, most);
  const std::uint64_t end = std::min(info_.size, range.end + ahead_);
  // Requests more once half of it is used up.
  ahead_from_.store(end >= info_.size ? UINT64_MAX : range.end + ahead_ / 2,
                    std::memory_order_relaxed);
  filler_->want({blocks_of({range.begin, end})});
}

io::FileRange CachedSource::in_file() const {
  const io::FileRange file = store_->backing_file();
  if (file.file == nullptr || filler_->overflowing()) return {};
  if (!whole_.load(std::memory_order_relaxed)) {
    const BlockRun all{0, store_->blocks()};
    if (!store_->next_missing(all).empty()) return {};
    for (std::uint64_t block = 0; block < all.end; ++block) {
      if (!store_->check(block)) return {};
    }
    whole_.store(true, std::memory_order_relaxed);
  }
  return file;
}

// ---- planned work -------------------------------------------------------------------------------

void CachedSource::will_need(const std::vector<ByteRange>& ranges) const {
  planned_.store(true, std::memory_order_relaxed);
  std::vector<BlockRun> runs;
  for (const ByteRange range : ranges) {
    const BlockRun run = blocks_of(range);
    if (!runs.empty() && runs.back().begin <= run.begin && run.begin <= runs.back().end) {
      runs.back().end = std::max(runs.back().end, run.end);
    } else if (!run.empty()) {
      runs.push_back(run);
    }
  }
  filler_->want(std::move(runs));
}

std::vector<ByteRange> CachedSource::missing(ByteRange range) const {
  std::vector<ByteRange> found;
  for (BlockRun rest = blocks_of(range); !rest.empty();) {
    const BlockRun run = store_->next_missing(rest);
    if (run.empty()) break;
    found.push_back(bytes_of(run).intersect(range));
    rest.begin = run.end;
  }
  return found;
}

Result<ByteRange> CachedSource::wait_for_start(ByteRange range) const {
  if (range.empty()) return range;
  const BlockRun run = blocks_of(range);
  if (const Result<void> there = filler_->need({run.begin, run.begin + 1}); !there) {
    return named(there.error());
  }
  const BlockRun known = store_->next_known(run);
  const BlockRun usable = known.begin == run.begin ? known : BlockRun{run.begin, run.begin + 1};
  return bytes_of(usable).intersect(range);
}

Result<CachedSource::Part> CachedSource::wait_for_any(std::span<const ByteRange> ranges) const {
  std::vector<BlockRun> runs;
  runs.reserve(ranges.size());
  for (const ByteRange range : ranges) runs.push_back(blocks_of(range));
  const Result<Filler::Found> found = filler_->need_any(runs);
  if (!found) return named(found.error());
  return Part{found->index, bytes_of(found->run).intersect(ranges[found->index])};
}

io::FileRange CachedSource::backing_file() const {
  return filler_->overflowing() ? io::FileRange{} : store_->backing_file();
}

// ---- the digest ---------------------------------------------------------------------------------

Result<bool> CachedSource::verify(const Context& context) const {
  if (info_.digest.empty()) return false;
  if (store_->sealed()) return true;
  if (store_->capacity() != 0 || filler_->overflowing()) return false;
  Error mismatch;
  mismatch.code = ErrorCode::kIntegrity;
  mismatch.path = info_.name;
  mismatch.operation = "verify";
  if (store_->discarded()) {
    mismatch.reason = "another process found that it does not match its digest";
    return mismatch;
  }
  context.begin("verifying", info_.size);
  io::Sha256 sha;
  SealSum sum;
  const std::uint64_t block_size = store_->block_size();
  std::vector<std::byte> buffer(
      static_cast<std::size_t>(std::max(block_size, std::uint64_t{1} << 20)));
  for (std::uint64_t at = 0; at < info_.size;) {
    SHUNT_TRY(context.check());
    const auto part = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), info_.size - at)));
    SHUNT_TRY(read_piece(ByteRange::of(at, part.size()), part));
    sha.update(part);
    for (std::span<const std::byte> rest = part; !rest.empty();) {
      const auto block =
          rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(block_size, rest.size())));
      sum.add(block_checksum(block));
      rest = rest.subspan(block.size());
    }
    at += part.size();
    context.advance(part.size());
  }
  if (const std::string found = "sha256:" + sha.hex(); found != info_.digest) {
    store_->discard();
    mismatch.reason = "its digest is " + found;
    mismatch.hint =
        "the cached data was discarded; the server sends other data than the digest says";
    return mismatch;
  }
  // Blocks that went to memory will be fetched again, so a seal would cover bytes not verified
  // here.
  if (!filler_->overflowing()) {
    // Without the seal, the next run repeats this check; nothing else is lost.
    if (const Result<void> sealed = store_->seal(sum.value()); !sealed) {
      log::info("{}: not sealed: {}", info_.name, sealed.error().describe());
    }
  }
  return true;
}

void CachedSource::take_head(std::span<const std::byte> bytes) const {
  filler_->take_head(bytes);
}

std::uint64_t CachedSource::bytes_fetched() const {
  return filler_->bytes_fetched();
}

}  // namespace shunt::cache
