#include "shunt/cache/entry.h"

#include <algorithm>
#include <array>

#include "shunt/base/log.h"
#include "shunt/files/lock.h"

namespace shunt::cache {

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

Result<void> Entry::format(io::File& file, EntryHeader& header, const blob::Freshness& freshness) {
  SHUNT_ASSIGN(const std::vector<std::byte> bytes, encode_header(header));
  SHUNT_TRY(file.write_at(0, bytes));
  EntryState state;
  state.freshness = freshness;
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
  const std::uint64_t tag =
      trust_tag(boot_id(), {status.st_dev, status.st_ino, item.file().born()});
  return std::shared_ptr<Entry>(
      new Entry(std::move(item), std::move(vault), std::move(header), tag));
}

Entry::Entry(vault::Item item, std::shared_ptr<vault::Vault> vault, EntryHeader header,
             std::uint64_t tag)
    : vault_(std::move(vault)),
      item_(std::move(item)),
      header_(std::move(header)),
      tag_(tag),
      known_(header_.blocks()),
      bad_(header_.blocks()) {}

blob::Info Entry::info() const {
  blob::Info info;
  info.name = header_.source;
  if (!of_url()) info.digest = header_.identity;
  info.validator = header_.validator;
  info.place = header_.place;
  info.size = header_.size;
  info.freshness = state().freshness;
  return info;
}

// ---- filling ------------------------------------------------------------------------------------

Claim Entry::claim(BlockRun run) {
  // Without write permission or locks, every process fetches for itself.
  if (!item_.writable()) return {true, run.count()};
  const Lock lock(claims_mutex_);
  BlockRun wanted = run;
  for (const BlockRun mine : claims_) {
    if (mine.end <= run.begin || mine.begin >= run.end) continue;
    if (mine.begin <= run.begin) return {false, std::min(mine.end, run.end) - run.begin};
    wanted.end = std::min(wanted.end, mine.begin);
  }
  while (true) {
    const Result<ByteRange> taken = files::try_lock_range(item_.file(), records_of(wanted));
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
  const Lock lock(claims_mutex_);
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
  files::unlock_range(item_.file(), records_of(run));
}

Room Entry::admit(std::uint64_t bytes) {
  if (!item_.writable()) return Room::kNone;
  const Result<bool> admitted = vault_->admit(bytes);
  if (!admitted) return admitted.error().code == ErrorCode::kBusy ? Room::kBusy : Room::kNone;
  return *admitted ? Room::kGranted : Room::kNone;
}

Result<void> Entry::put(std::uint64_t first, std::span<const std::byte> bytes) {
  // A truncated file must not be extended again: the missing blocks, which other processes may
  // believe present, would read as zeros.
  SHUNT_ASSIGN(const std::uint64_t length, item_.file().size());
  if (length != header_.file_size()) give_up();
  if (given_up_.load()) {
    return corrupt("the entry is damaged", length).with_path(item_.file().path());
  }
  // Before the bytes: new blocks have not been compared with the digest.
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
  // After the data: a process that sees the record must see the bytes.
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
  // The file was truncated or cannot be read any more: missing blocks are fetched again, and not
  // stored in the same file.
  give_up();
  const std::uint64_t last = (offset + into.size() - 1) / header_.block_size;
  for (std::uint64_t block = offset / header_.block_size; block <= last; ++block) forget(block);
  return false;
}

io::FileRange Entry::backing_file() const {
  return {&item_.file(), header_.data_begin()};
}

void Entry::give_up() {
  if (given_up_.exchange(true)) return;
  log::warn("{}: its entry in the cache is damaged and is discarded", header_.source);
  (void)vault_->retire(item_.name(), &item_);
}

}  // namespace shunt::cache
