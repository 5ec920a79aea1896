// The part of an Entry that knows which blocks are present: the records in the file, and the bits
// in memory for those that this process has checked.
#include <algorithm>
#include <array>

#include "shunt/base/checked.h"
#include "shunt/base/log.h"
#include "shunt/cache/entry.h"
#include "shunt/files/lock.h"

namespace shunt::cache {
namespace {

constexpr std::uint64_t kRecordsAtOnce = 256;

}  // namespace

ByteRange Entry::bytes_of(std::uint64_t block) const {
  const std::uint64_t begin = block * header_.block_size;
  return {begin, std::min(begin + header_.block_size, header_.size)};
}

ByteRange Entry::records_of(BlockRun run) const {
  return ByteRange::of(run.begin * kRecordSize, run.count() * kRecordSize)
      .moved_by(header_.records_begin());
}

bool Entry::has(std::uint64_t block) const {
  return known_.get(block);
}

void Entry::know(std::uint64_t block) {
  bad_.clear(block);
  known_.set(block);
}

void Entry::forget(std::uint64_t block) {
  known_.clear(block);
  // If the record stays, this process ignores it; otherwise the block would be neither present nor
  // missing. If the seal cannot be removed, it is invalid without the record.
  if (item_.writable()) (void)lose_seal();
  if (!item_.writable() || !write_record(block, {})) bad_.set(block);
}

bool Entry::forget_if(std::uint64_t block, const BlockRecord& seen) {
  const Lock lock(claims_mutex_);
  for (const BlockRun mine : claims_) {
    if (mine.contains(block)) return false;
  }
  // A process that refills it in the meantime has claimed it, and rewrites data and record. Without
  // locks there is no way to know.
  const ByteRange place = records_of({block, block + 1});
  if (item_.writable()) {
    const Result<ByteRange> taken = files::try_lock_range(item_.file(), place);
    if (taken && !taken->empty()) return false;
  }
  const BlockRecord now = records({block, block + 1}).front();
  const bool unchanged = now.checksum == seen.checksum && now.tag == seen.tag;
  if (unchanged) {
    ++bad_blocks_;
    log::info("{}: the cached block at byte {} does not match its checksum; it is fetched again",
              header_.source, bytes_of(block).begin);
    forget(block);
  }
  if (item_.writable()) files::unlock_range(item_.file(), place);
  return unchanged;
}

BlockRun Entry::next_known(BlockRun within) const {
  return known_.next_set(within);
}

std::vector<BlockRecord> Entry::read_records(const io::File& file, const EntryHeader& header,
                                             BlockRun run) {
  std::vector<BlockRecord> found(static_cast<std::size_t>(run.count()));
  std::vector<std::byte> bytes(found.size() * kRecordSize);
  const Result<std::size_t> got =
      file.read_at(header.records_begin() + run.begin * kRecordSize, bytes);
  if (!got || *got < bytes.size()) return {};
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i] = decode_record(std::span(bytes).subspan(i * kRecordSize).first<kRecordSize>());
  }
  return found;
}

std::vector<BlockRecord> Entry::records(BlockRun run) const {
  std::vector<BlockRecord> found = read_records(item_.file(), header_, run);
  found.resize(static_cast<std::size_t>(run.count()));
  return found;
}

bool Entry::check(std::uint64_t block) {
  if (has(block)) return true;
  if (bad_.get(block)) return false;
  // Reads the records of neighbouring blocks too: they are often needed next.
  const std::uint64_t begin = round_down(block, kRecordsAtOnce);
  const BlockRun run{begin, std::min(begin + kRecordsAtOnce, header_.blocks())};
  const std::vector<BlockRecord> all = records(run);
  for (std::uint64_t other = run.begin; other < run.end; ++other) {
    const BlockRecord& record = all[static_cast<std::size_t>(other - run.begin)];
    if (record.checksum != 0 && record.tag == tag_ && !bad_.get(other)) know(other);
  }
  if (has(block)) return true;
  const BlockRecord& record = all[static_cast<std::size_t>(block - run.begin)];
  if (record.checksum == 0) return false;
  if (!matches(block, record.checksum)) {
    (void)forget_if(block, record);
    return false;
  }
  if (item_.writable()) (void)write_record(block, {record.checksum, tag_});
  know(block);
  return true;
}

bool Entry::matches(std::uint64_t block, std::uint64_t checksum) const {
  const ByteRange bytes = bytes_of(block);
  std::vector<std::byte> data(static_cast<std::size_t>(bytes.size()));
  const Result<std::size_t> got = item_.file().read_at(header_.data_begin() + bytes.begin, data);
  return got && *got == data.size() && block_checksum(data) == checksum;
}

Result<Entry::Recheck> Entry::recheck(std::uint64_t block, std::span<std::byte> bytes) {
  const BlockRecord record = records({block, block + 1}).front();
  if (record.checksum == 0) return Recheck::kAbsent;
  SHUNT_ASSIGN(const std::size_t got,
               item_.file().read_at(header_.data_begin() + bytes_of(block).begin, bytes));
  if (got == bytes.size() && block_checksum(bytes) == record.checksum) {
    if (item_.writable() && record.tag != tag_) {
      SHUNT_TRY(write_record(block, {record.checksum, tag_}));
    }
    return Recheck::kGood;
  }
  // It may have been claimed between the two reads, to be filled again.
  return forget_if(block, record) ? Recheck::kBad : Recheck::kAbsent;
}

BlockRun Entry::next_missing(BlockRun within) const {
  BlockRun found{within.end, within.end};
  for (std::uint64_t at = within.begin; at < within.end;) {
    if (has(at)) {
      if (!found.empty()) break;
      at = next_known({at, within.end}).end;
      continue;
    }
    const BlockRun part{at, std::min(round_down(at, kRecordsAtOnce) + kRecordsAtOnce, within.end)};
    const std::vector<BlockRecord> all = records(part);
    for (; at < part.end; ++at) {
      const bool there = has(at) || (!bad_.get(at) &&
                                     all[static_cast<std::size_t>(at - part.begin)].checksum != 0);
      if (there && !found.empty()) return found;
      if (there) continue;
      if (found.empty()) found.begin = at;
      found.end = at + 1;
    }
  }
  return found;
}

}  // namespace shunt::cache
