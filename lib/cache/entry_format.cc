#include "shunt/cache/entry_format.h"

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <bit>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string_view>

#include "shunt/base/checked.h"

namespace shunt::cache {
namespace {

static_assert(std::endian::native == std::endian::little, "entries are written as they lie");

constexpr std::string_view kMagic = "shuntblb";
constexpr std::string_view kStateMagic = "shuntsta";
constexpr std::size_t kUnit = 4096;
// Of the header: magic, version, header size, size of the blob, block size, lengths of four texts.
constexpr std::size_t kFixedSize = 8 + 4 + 4 + 8 + 8 + 4 * 4;
constexpr std::size_t kChecksumSize = 8;

std::uint64_t digest_of(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

template <typename T>
void store(std::vector<std::byte>& into, std::size_t& at, T value) {
  std::memcpy(into.data() + at, &value, sizeof value);
  at += sizeof value;
}

template <typename T>
T load(std::span<const std::byte> from, std::size_t& at) {
  T value;
  std::memcpy(&value, from.data() + at, sizeof value);
  at += sizeof value;
  return value;
}

bool begins_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

bool is_block_size(std::uint64_t size) {
  return std::has_single_bit(size) && size >= kMinBlockSize && size <= kMaxBlockSize;
}

}  // namespace

std::optional<std::uint64_t> block_size_for(std::uint64_t blob_size) {
  std::uint64_t block_size = kDefaultBlockSize;
  while (blob_size / block_size > kMaxBlocks - 1 && block_size < kMaxBlockSize) block_size *= 2;
  if (blob_size / block_size > kMaxBlocks - 1) return std::nullopt;
  return block_size;
}

std::uint64_t EntryHeader::data_begin() const {
  return round_up(records_begin() + blocks() * kRecordSize, block_size);
}

Result<std::vector<std::byte>> encode_header(EntryHeader& header) {
  const std::size_t texts =
      header.identity.size() + header.source.size() + header.validator.size() + header.place.size();
  const std::uint64_t size = round_up(kFixedSize + texts + kChecksumSize, kUnit);
  if (size > kMaxHeaderSize) return corrupt("the URL is too long for the cache");
  header.header_size = size;
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  std::size_t at = kMagic.size();
  store(bytes, at, kEntryVersion);
  store(bytes, at, static_cast<std::uint32_t>(size));
  store(bytes, at, header.size);
  store(bytes, at, header.block_size);
  for (const std::string* text :
       {&header.identity, &header.source, &header.validator, &header.place}) {
    store(bytes, at, static_cast<std::uint32_t>(text->size()));
  }
  for (const std::string* text :
       {&header.identity, &header.source, &header.validator, &header.place}) {
    std::memcpy(bytes.data() + at, text->data(), text->size());
    at += text->size();
  }
  at = bytes.size() - kChecksumSize;
  store(bytes, at, digest_of(std::span(bytes).first(bytes.size() - kChecksumSize)));
  return bytes;
}

Result<std::size_t> decode_header_size(std::span<const std::byte> bytes) {
  if (bytes.size() < kUnit || !begins_with(bytes, kMagic)) return corrupt("not a cache entry", 0);
  std::size_t at = kMagic.size();
  const auto version = load<std::uint32_t>(bytes, at);
  if (version != kEntryVersion) {
    return corrupt("a cache entry of version " + std::to_string(version), 8);
  }
  const auto size = load<std::uint32_t>(bytes, at);
  if (size < kUnit || size > kMaxHeaderSize || size % kUnit != 0) {
    return corrupt("the header's size is wrong", 12);
  }
  return size;
}

Result<EntryHeader> decode_header(std::span<const std::byte> bytes) {
  SHUNT_ASSIGN(const std::size_t size, decode_header_size(bytes));
  if (bytes.size() < size) return corrupt("the header is cut short", bytes.size());
  std::size_t at = size - kChecksumSize;
  if (load<std::uint64_t>(bytes, at) != digest_of(bytes.first(size - kChecksumSize))) {
    return corrupt("the header's checksum does not match", size - kChecksumSize);
  }
  EntryHeader header;
  header.header_size = size;
  at = 16;
  header.size = load<std::uint64_t>(bytes, at);
  header.block_size = load<std::uint64_t>(bytes, at);
  // A checksum does not protect against a file made on purpose.
  if (!is_block_size(header.block_size)) return corrupt("the block size is wrong", 24);
  if (header.size / header.block_size > kMaxBlocks - 1) return corrupt("too many blocks", 16);
  std::array<std::uint32_t, 4> lengths{};
  for (std::uint32_t& length : lengths) length = load<std::uint32_t>(bytes, at);
  std::size_t i = 0;
  for (std::string* text : {&header.identity, &header.source, &header.validator, &header.place}) {
    const std::uint32_t length = lengths[i++];
    if (length > size - kChecksumSize - at) return corrupt("a text is too long", at);
    text->assign(reinterpret_cast<const char*>(bytes.data() + at), length);
    at += length;
  }
  return header;
}

std::vector<std::byte> encode_state(const EntryState& state) {
  std::vector<std::byte> bytes(kStateSize);
  std::memcpy(bytes.data(), kStateMagic.data(), kStateMagic.size());
  std::size_t at = kStateMagic.size();
  store(bytes, at,
        static_cast<std::uint64_t>(state.sealed) | static_cast<std::uint64_t>(state.discarded)
                                                       << 1);
  store(bytes, at, state.freshness.since);
  store(bytes, at, state.freshness.seconds);
  store(bytes, at, state.seal_sum);
  at = kStateSize - kChecksumSize;
  store(bytes, at, digest_of(std::span(bytes).first(kStateSize - kChecksumSize)));
  return bytes;
}

EntryState decode_state(std::span<const std::byte> bytes) {
  if (bytes.size() < kStateSize || !begins_with(bytes, kStateMagic)) return {};
  std::size_t at = kStateSize - kChecksumSize;
  if (load<std::uint64_t>(bytes, at) != digest_of(bytes.first(kStateSize - kChecksumSize)))
    return {};
  at = kStateMagic.size();
  EntryState state;
  const auto flags = load<std::uint64_t>(bytes, at);
  state.sealed = (flags & 1) != 0;
  state.discarded = (flags & 2) != 0;
  state.freshness.since = load<std::int64_t>(bytes, at);
  state.freshness.seconds = load<std::int64_t>(bytes, at);
  state.seal_sum = load<std::uint64_t>(bytes, at);
  return state;
}

void encode_record(const BlockRecord& record, std::span<std::byte, kRecordSize> into) {
  std::memcpy(into.data(), &record.checksum, 8);
  std::memcpy(into.data() + 8, &record.tag, 8);
}

BlockRecord decode_record(std::span<const std::byte, kRecordSize> bytes) {
  BlockRecord record;
  std::memcpy(&record.checksum, bytes.data(), 8);
  std::memcpy(&record.tag, bytes.data() + 8, 8);
  return record;
}

std::uint64_t block_checksum(std::span<const std::byte> bytes) {
  const std::uint64_t checksum = digest_of(bytes);
  return checksum == 0 ? 1 : checksum;
}

void SealSum::add(std::uint64_t checksum) {
  group_.push_back(checksum);
  if (group_.size() == kGroup) close_group();
}

std::uint64_t SealSum::value() {
  if (!group_.empty()) close_group();
  return sum_;
}

void SealSum::close_group() {
  sum_ = XXH3_64bits_withSeed(group_.data(), group_.size() * sizeof(std::uint64_t), sum_);
  group_.clear();
}

std::uint64_t trust_tag(std::string_view boot_id, const FileIdentity& file) {
  static_assert(sizeof file == sizeof file.device + sizeof file.inode + sizeof file.born);
  std::string text(boot_id);
  text.append(reinterpret_cast<const char*>(&file), sizeof file);
  const std::uint64_t tag = digest_of(std::as_bytes(std::span(text)));
  return tag == 0 ? 1 : tag;
}

namespace {

std::string read_boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  if (!std::getline(file, id) || id.size() < 32) {
    // Nothing older than this process may be trusted.
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    id = fmt::format("process {} {} {}", ::getpid(), now.tv_sec, now.tv_nsec);
  }
  return id;
}

std::string& boot_id_in_use() {
  static std::string id = read_boot_id();
  return id;
}

}  // namespace

std::string boot_id() {
  return boot_id_in_use();
}

BootIdOverride::BootIdOverride(std::string id) : previous_(boot_id_in_use()) {
  boot_id_in_use() = std::move(id);
}

BootIdOverride::~BootIdOverride() {
  boot_id_in_use() = previous_;
}

}  // namespace shunt::cache
