#include "cache/entry.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/checked.h"
#include "base/log.h"
#include "io/lock.h"

namespace shunt::cache {
namespace {

constexpr std::uint64_t kRecordsAtOnce = 256;
constexpr std::uint64_t kWord = 64;

using Bits = std::vector<std::atomic<std::uint64_t>>;

bool get(const Bits& bits, std::uint64_t at) {
  const std::uint64_t word =
      bits[static_cast<std::size_t>(at / kWord)].load(std::memory_order_acquire);
  return (word >> (at % kWord) & 1) != 0;
}

void set(Bits& bits, std::uint64_t at) {
  bits[static_cast<std::size_t>(at / kWord)].fetch_or(std::uint64_t{1} << (at % kWord),
                                                      std::memory_order_release);
}

void clear(Bits& bits, std::uint64_t at) {
  bits[static_cast<std::size_t>(at / kWord)].fetch_and(~(std::uint64_t{1} << (at % kWord)),
                                                       std::memory_order_release);
}

}  // namespace

// ---- opening ------------------------------------------------------------------------------------

Result<EntryHeader> Entry::read_header(const io::File& file) {
  std::vector<std::byte> bytes(4096);
  SHUNT_ASSIGN(std::size_t got, file.read_at(0, bytes));
  bytes.resize(got);
  Result<std::size_t> size = decode_header_size(bytes);
  if (size && *size > bytes.size()) {
    bytes.resize(*size);
    SHUNT_ASSIGN(got, file.read_at(0, bytes));
    bytes.resize(got);
  }
  Result<EntryHeader> header = decode_header(bytes);
  if (!header) return header.error().with_path(file.path());
  return header;
}

EntryState Entry::read_state(const io::File& file, const EntryHeader& header) {
  std::array<std::byte, kStateSize> bytes{};
  const Result<std::size_t> got = file.read_at(header.state_begin(), bytes);
  return got && *got == bytes.size() ? decode_state(bytes) : EntryState{};
}

Result<void> Entry::format(io::File& file, EntryHeader& header, std::int64_t fresh_until) {
  SHUNT_ASSIGN(const std::vector<std::byte> bytes, encode_header(header));
  SHUNT_TRY(file.write_at(0, bytes));
  EntryState state;
  state.fresh_until = fresh_until;
  SHUNT_TRY(file.write_at(header.state_begin(), encode_state(state)));
  return file.truncate(header.file_size());
}

Result<std::shared_ptr<Entry>> Entry::open(vault::Item&& item,
                                           std::shared_ptr<vault::Vault> vault) {
  SHUNT_ASSIGN(EntryHeader header, read_header(item.file()));
  SHUNT_ASSIGN(const struct stat status, item.file().status());
  if (static_cast<std::uint64_t>(status.st_size) != header.file_size()) {
    return corrupt("not as long as its header says", static_cast<std::uint64_t>(status.st_size))
        .with_path(item.file().path());
  }
  const std::uint64_t tag = trust_tag(boot_id(), status.st_dev, status.st_ino);
  return std::shared_ptr<Entry>(
      new Entry(std::move(item), std::move(vault), std::move(header), tag));
}

Entry::Entry(vault::Item item, std::shared_ptr<vault::Vault> vault, EntryHeader header,
             std::uint64_t tag)
    : vault_(std::move(vault)),
      item_(std::move(item)),
      header_(std::move(header)),
      tag_(tag),
      known_(static_cast<std::size_t>(header_.blocks() / kWord + 1)),
      bad_(known_.size()) {}

remote::BlobInfo Entry::info() const {
  remote::BlobInfo info;
  info.name = header_.source;
  if (header_.validator.empty()) info.digest = header_.identity;
  info.validator = header_.validator;
  info.size = header_.size;
  info.fresh_until = state().fresh_until;
  return info;
}

// ---- which blocks are there ---------------------------------------------------------------------

ByteRange Entry::bytes_of(std::uint64_t block) const {
  const std::uint64_t begin = block * header_.block_size;
  return {begin, std::min(begin + header_.block_size, header_.size)};
}

ByteRange Entry::records_of(BlockRun run) const {
  return ByteRange::of(run.begin * kRecordSize, run.count() * kRecordSize)
      .moved_by(header_.records_begin());
}

bool Entry::has(std::uint64_t block) const {
  return get(known_, block);
}

void Entry::know(std::uint64_t block) {
  clear(bad_, block);
  set(known_, block);
}

void Entry::forget(std::uint64_t block) {
  clear(known_, block);
  // Where the record stays, it counts for nothing in this process; otherwise the block would seem
  // to be neither there nor missing.
  if (!item_.writable() || !lose_seal() || !write_record(block, {})) set(bad_, block);
}

void Entry::forget_if(std::uint64_t block, const BlockRecord& seen) {
  const std::lock_guard lock(claims_mutex_);
  for (const BlockRun mine : claims_) {
    if (mine.contains(block)) return;
  }
  // Whoever refills it meanwhile has claimed it, and writes data and record anew. Where there are
  // no locks, nobody can be asked.
  const ByteRange place = records_of({block, block + 1});
  if (item_.writable()) {
    const Result<ByteRange> taken = io::try_lock_range(item_.file(), place);
    if (taken && !taken->empty()) return;
  }
  const BlockRecord now = records({block, block + 1}).front();
  if (now.checksum == seen.checksum && now.tag == seen.tag) {
    ++bad_blocks_;
    log::info("{}: the cached block at byte {} does not match its checksum; it is fetched again",
              header_.source, bytes_of(block).begin);
    forget(block);
  }
  if (item_.writable()) io::unlock_range(item_.file(), place);
}

BlockRun Entry::next_known(BlockRun within) const {
  const auto first = [&](std::uint64_t from, bool wanted) {
    while (from < within.end) {
      std::uint64_t word =
          known_[static_cast<std::size_t>(from / kWord)].load(std::memory_order_acquire);
      if (!wanted) word = ~word;
      word &= ~std::uint64_t{0} << (from % kWord);
      const std::uint64_t base = round_down(from, kWord);
      if (word != 0) {
        return std::min(within.end, base + static_cast<std::uint64_t>(std::countr_zero(word)));
      }
      from = base + kWord;
    }
    return within.end;
  };
  const std::uint64_t begin = first(within.begin, true);
  return {begin, first(begin, false)};
}

std::vector<BlockRecord> Entry::records(BlockRun run) const {
  std::vector<BlockRecord> found(static_cast<std::size_t>(run.count()));
  std::vector<std::byte> bytes(found.size() * kRecordSize);
  const Result<std::size_t> got = item_.file().read_at(records_of(run).begin, bytes);
  if (!got || *got < bytes.size()) return found;
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i] = decode_record(std::span(bytes).subspan(i * kRecordSize).first<kRecordSize>());
  }
  return found;
}

bool Entry::check(std::uint64_t block) {
  if (has(block)) return true;
  if (get(bad_, block)) return false;
  // Neighbours come with it: whoever reads this block often reads them next.
  const std::uint64_t begin = round_down(block, kRecordsAtOnce);
  const BlockRun run{begin, std::min(begin + kRecordsAtOnce, header_.blocks())};
  const std::vector<BlockRecord> all = records(run);
  for (std::uint64_t other = run.begin; other < run.end; ++other) {
    const BlockRecord& record = all[static_cast<std::size_t>(other - run.begin)];
    if (record.checksum != 0 && record.tag == tag_ && !get(bad_, other)) know(other);
  }
  if (has(block)) return true;
  const BlockRecord& record = all[static_cast<std::size_t>(block - run.begin)];
  if (record.checksum == 0) return false;
  if (!matches(block, record.checksum)) {
    forget_if(block, record);
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
  ++bad_blocks_;
  forget(block);
  return Recheck::kBad;
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
      const bool there = has(at) || (!get(bad_, at) &&
                                     all[static_cast<std::size_t>(at - part.begin)].checksum != 0);
      if (there && !found.empty()) return found;
      if (there) continue;
      if (found.empty()) found.begin = at;
      found.end = at + 1;
    }
  }
  return found;
}

namespace {

constexpr std::uint64_t kScanned = 4096;  // records at once

// Calls `visit` with the first block and the checksums of each stretch of records, in order; false
// when they cannot all be read.
template <typename Visit>
bool scan_checksums(const io::File& file, const EntryHeader& header, Visit visit) {
  std::vector<std::byte> bytes;
  std::vector<std::uint64_t> checksums;
  for (std::uint64_t at = 0; at < header.blocks(); at += kScanned) {
    const std::uint64_t count = std::min(kScanned, header.blocks() - at);
    bytes.resize(static_cast<std::size_t>(count * kRecordSize));
    const Result<std::size_t> got = file.read_at(header.records_begin() + at * kRecordSize, bytes);
    if (!got || *got < bytes.size()) return false;
    checksums.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto record =
          std::span<const std::byte>(bytes).subspan(static_cast<std::size_t>(i * kRecordSize));
      checksums.push_back(decode_record(record.first<kRecordSize>()).checksum);
    }
    visit(at, checksums);
  }
  return true;
}

// 0 when they cannot be read, which no seal has.
std::uint64_t sum_of_records(const io::File& file, const EntryHeader& header) {
  std::uint64_t sum = 0;
  const bool all = scan_checksums(
      file, header, [&](std::uint64_t /*first*/, const std::vector<std::uint64_t>& checksums) {
        sum = add_to_sum(sum, checksums);
      });
  return all ? sum : 0;
}

}  // namespace

std::uint64_t Entry::count_recorded(const io::File& file, const EntryHeader& header) {
  std::uint64_t counted = 0;
  (void)scan_checksums(
      file, header, [&](std::uint64_t first, const std::vector<std::uint64_t>& checksums) {
        for (std::uint64_t i = 0; i < checksums.size(); ++i) {
          if (checksums[i] == 0) continue;
          counted += std::min(header.block_size, header.size - (first + i) * header.block_size);
        }
      });
  return counted;
}

// ---- filling ------------------------------------------------------------------------------------

Claim Entry::claim(BlockRun run) {
  // Without the right to write, or without locks, everybody fetches for himself.
  if (!item_.writable()) return {true, run.count()};
  const std::lock_guard lock(claims_mutex_);
  BlockRun wanted = run;
  for (const BlockRun mine : claims_) {
    if (mine.end <= run.begin || mine.begin >= run.end) continue;
    if (mine.begin <= run.begin) return {false, std::min(mine.end, run.end) - run.begin};
    wanted.end = std::min(wanted.end, mine.begin);
  }
  while (true) {
    const Result<ByteRange> taken = io::try_lock_range(item_.file(), records_of(wanted));
    if (!taken || taken->empty()) {
      claims_.push_back(wanted);
      return {true, wanted.count()};
    }
    const ByteRange relative{taken->begin - header_.records_begin(),
                             taken->end - header_.records_begin()};
    const std::uint64_t first = relative.begin / kRecordSize;
    if (first <= run.begin) {
      return {false,
              std::min(run.end, relative.end / kRecordSize + (relative.end % kRecordSize != 0)) -
                  run.begin};
    }
    wanted.end = first;
  }
}

void Entry::release(BlockRun run) {
  if (!item_.writable() || run.empty()) return;
  const std::lock_guard lock(claims_mutex_);
  std::vector<BlockRun> rest;
  for (const BlockRun mine : claims_) {
    if (const std::uint64_t end = std::min(mine.end, run.begin); mine.begin < end) {
      rest.push_back({mine.begin, end});
    }
    if (const std::uint64_t begin = std::max(mine.begin, run.end); begin < mine.end) {
      rest.push_back({begin, mine.end});
    }
  }
  claims_ = std::move(rest);
  io::unlock_range(item_.file(), records_of(run));
}

bool Entry::admit(std::uint64_t bytes) {
  if (!item_.writable()) return false;
  const Result<bool> admitted = vault_->admit(bytes);
  return admitted && *admitted;
}

Result<void> Entry::put(std::uint64_t first, std::span<const std::byte> bytes) {
  // A file that was cut must not be made longer again: the blocks in between, which somebody may
  // still know to be there, would read as zeros.
  SHUNT_ASSIGN(const std::uint64_t length, item_.file().size());
  if (length != header_.file_size()) give_up();
  if (given_up_.load()) {
    return corrupt("the entry is damaged", length).with_path(item_.file().path());
  }
  // Before the bytes: what has to be fetched has not been held against the digest.
  SHUNT_TRY(lose_seal());
  SHUNT_TRY(item_.file().write_at(header_.data_begin() + first * header_.block_size, bytes));
  std::vector<std::byte> encoded;
  std::uint64_t block = first;
  for (std::span<const std::byte> rest = bytes; !rest.empty(); ++block) {
    const auto part = rest.first(static_cast<std::size_t>(bytes_of(block).size()));
    encoded.resize(encoded.size() + kRecordSize);
    encode_record({block_checksum(part), tag_}, std::span(encoded).last<kRecordSize>());
    rest = rest.subspan(part.size());
  }
  // After the data: whoever sees the record sees the bytes.
  SHUNT_TRY(item_.file().write_at(records_of({first, block}).begin, encoded));
  for (std::uint64_t filled = first; filled < block; ++filled) know(filled);
  return {};
}

Result<void> Entry::write_record(std::uint64_t block, const BlockRecord& record) {
  std::array<std::byte, kRecordSize> bytes{};
  encode_record(record, bytes);
  return item_.file().write_at(records_of({block, block + 1}).begin, bytes);
}

Result<bool> Entry::read(std::uint64_t offset, std::span<std::byte> into) {
  const Result<std::size_t> got = item_.file().read_at(header_.data_begin() + offset, into);
  if (got && *got == into.size()) return true;
  // The file has been cut, or cannot be read here any more: what is gone is fetched again, and not
  // put to the same place, where it would be lost again.
  give_up();
  const std::uint64_t last = (offset + into.size() - 1) / header_.block_size;
  for (std::uint64_t block = offset / header_.block_size; block <= last; ++block) forget(block);
  return false;
}

io::FileRange Entry::backing_file() const {
  return {&item_.file(), header_.data_begin()};
}

// ---- the state ----------------------------------------------------------------------------------

namespace {

// The lock on the file keeps other processes away, but no thread that uses the same descriptor.
std::mutex updating_state;

}  // namespace

template <typename Change>
Result<void> Entry::update_state(Change change) {
  const std::lock_guard threads(updating_state);
  const ByteRange place = ByteRange::of(header_.state_begin(), kStateSize);
  SHUNT_TRY(io::lock_range(item_.file(), place));
  EntryState now = state();
  change(now);
  Result<void> written = item_.file().write_at(place.begin, encode_state(now));
  io::unlock_range(item_.file(), place);
  return written;
}

Result<void> Entry::set_fresh_until(std::int64_t seconds) {
  if (!item_.writable() || state().fresh_until == seconds) return {};
  return update_state([&](EntryState& now) { now.fresh_until = seconds; });
}

bool Entry::is_sealed(const io::File& file, const EntryHeader& header) {
  const EntryState state = read_state(file, header);
  return state.sealed && state.seal_sum == sum_of_records(file, header);
}

std::uint64_t Entry::seal_mark() const {
  return sum_of_records(item_.file(), header_);
}

Result<void> Entry::seal(std::uint64_t mark) {
  if (!item_.writable()) return {};
  return update_state([&](EntryState& now) {
    now.sealed = true;
    now.seal_sum = mark;
  });
}

Result<void> Entry::lose_seal() {
  return state().sealed ? unseal() : Result<void>();
}

void Entry::give_up() {
  if (given_up_.exchange(true)) return;
  log::warn("{}: its entry in the cache is damaged and is given up", header_.source);
  (void)vault_->retire(item_.name(), &item_);
}

Result<void> Entry::unseal() {
  if (!item_.writable()) return {};
  return update_state([](EntryState& now) { now.sealed = false; });
}

void Entry::discard() {
  // Those who have it open see the mark; those who come later find nothing.
  if (item_.writable()) {
    (void)update_state([](EntryState& now) {
      now.sealed = false;
      now.discarded = true;
    });
  }
  (void)vault_->retire(item_.name(), &item_);
}

}  // namespace shunt::cache
