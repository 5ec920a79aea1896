// The format of an entry (docs/formats/cache.md).
//
//   header    magic, version, sizes, what the blob is; checksum. Written once
//   state     sealed or discarded, freshness, sum of the seal; checksum. Rewritten in place
//   records   16 bytes per block: XXH3-64 of its bytes, and the tag that makes it trusted
//   data      the blob, sparse where it is not cached; begins at a multiple of the block size
//
// All integers are little-endian. These functions do no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/blob/origin.h"

namespace shunt::cache {

inline constexpr std::uint32_t kEntryVersion = 2;
inline constexpr std::uint64_t kMinBlockSize = std::uint64_t{4} << 10;
inline constexpr std::uint64_t kDefaultBlockSize = std::uint64_t{64} << 10;
inline constexpr std::uint64_t kMaxBlockSize = std::uint64_t{4} << 20;
inline constexpr std::uint64_t kMaxBlocks = std::uint64_t{1} << 22;  // 16 TiB at the largest size
inline constexpr std::size_t kStateSize = 64;
inline constexpr std::size_t kRecordSize = 16;
inline constexpr std::size_t kMaxHeaderSize = std::size_t{64} << 10;

// Returns 64 KiB, or more for a blob that would have more than kMaxBlocks blocks; nullopt if it is
// too large for the cache.
[[nodiscard]] std::optional<std::uint64_t> block_size_for(std::uint64_t blob_size);

struct EntryHeader {
  std::uint64_t size = 0;                        // of the blob, in bytes
  std::uint64_t block_size = kDefaultBlockSize;  // bytes; a power of two
  std::uint64_t header_size = 0;                 // bytes; a multiple of 4 KiB; the state follows
  std::string identity;                          // the digest, or the URL that the key is made from
  std::string source;                            // where it came from, for people
  std::string validator;                         // only for a URL, empty for a digest
  std::string place;                             // only for a URL; see blob::Info

  [[nodiscard]] std::uint64_t blocks() const {
    return size / block_size + (size % block_size != 0 ? 1 : 0);
  }
  [[nodiscard]] std::uint64_t state_begin() const { return header_size; }
  [[nodiscard]] std::uint64_t records_begin() const { return header_size + 4096; }
  [[nodiscard]] std::uint64_t data_begin() const;
  [[nodiscard]] std::uint64_t file_size() const { return data_begin() + size; }
};

// Returns the header as header_size bytes, and sets header.header_size. Returns kCorrupt if the
// texts are too long.
[[nodiscard]] Result<std::vector<std::byte>> encode_header(EntryHeader& header);
// Parses a header. `bytes` holds at least the first 4 KiB of the file, and header_size bytes if
// that is more. Returns kCorrupt if it is not a header of this version.
[[nodiscard]] Result<EntryHeader> decode_header(std::span<const std::byte> bytes);
// Returns header_size from the first 4 KiB of the file, or kCorrupt.
[[nodiscard]] Result<std::size_t> decode_header_size(std::span<const std::byte> bytes);

struct EntryState {
  bool sealed = false;     // the whole blob matched its digest
  bool discarded = false;  // the whole blob did not match its digest
  blob::Freshness freshness;
  std::uint64_t seal_sum = 0;  // only if sealed: SealSum of all records at that time
};
[[nodiscard]] std::vector<std::byte> encode_state(const EntryState& state);
// Returns an empty state for one that cannot be parsed; that costs one more check or request.
[[nodiscard]] EntryState decode_state(std::span<const std::byte> bytes);

struct BlockRecord {
  std::uint64_t checksum = 0;  // 0: the block is absent
  std::uint64_t tag = 0;       // trust_tag() when the bytes were last known to match; 0: none
};
void encode_record(const BlockRecord& record, std::span<std::byte, kRecordSize> into);
[[nodiscard]] BlockRecord decode_record(std::span<const std::byte, kRecordSize> bytes);

// Returns XXH3-64, with 0 replaced by 1.
[[nodiscard]] std::uint64_t block_checksum(std::span<const std::byte> bytes);

// A hash over the checksums of all blocks of an entry, in order. A seal is valid only while the
// records give the same sum: a block that was fetched again has not been compared with the digest,
// even if a power failure brought the removed seal back.
class SealSum {
 public:
  void add(std::uint64_t checksum);     // of the next block
  [[nodiscard]] std::uint64_t value();  // once all blocks have been added

 private:
  static constexpr std::size_t kGroup = 4096;  // checksums hashed together
  void close_group();

  std::vector<std::uint64_t> group_;
  std::uint64_t sum_ = 0;
};

// Identifies a file, to distinguish it from a copy. A copy may get the inode number of the
// original.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t born = 0;  // time of creation, see io::File::born()
};

// Returns the tag of a trusted record: a hash of the boot and of the file that holds the record, so
// that a copy of an entry starts untrusted. Never 0.
[[nodiscard]] std::uint64_t trust_tag(std::string_view boot_id, const FileIdentity& file);
// Returns /proc/sys/kernel/random/boot_id, or an ID of this process if that cannot be read.
[[nodiscard]] std::string boot_id();

// For tests: replaces the boot ID. No other thread may run meanwhile.
class BootIdOverride {
 public:
  explicit BootIdOverride(std::string id);
  ~BootIdOverride();
  BootIdOverride(const BootIdOverride&) = delete;
  BootIdOverride& operator=(const BootIdOverride&) = delete;

 private:
  std::string previous_;
};

}  // namespace shunt::cache
