// The bytes of an entry, as docs/formats/cache.md describes them.
//
//   header    magic, version, sizes, what the blob is; checksum. Written once
//   state     sealed or discarded, since when and for how long fresh, what was sealed;
//             checksum. Rewritten in place
//   records   16 bytes a block: checksum of its bytes (XXH3-64), and the tag under which it may be
//             trusted without looking
//   data      the blob, as sparse as it is known; begins at a multiple of the block size
//
// All integers are little-endian. Nothing here reads or writes files.
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

// 64 KiB, and more for blobs that would have more than kMaxBlocks of them; nullopt: too large for
// the cache.
[[nodiscard]] std::optional<std::uint64_t> block_size_for(std::uint64_t blob_size);

struct EntryHeader {
  std::uint64_t size = 0;                        // of the blob
  std::uint64_t block_size = kDefaultBlockSize;  // a power of two
  std::uint64_t header_size = 0;                 // a multiple of 4 KiB; the state begins here
  std::string identity;                          // the digest, or the URL that the key is made of
  std::string source;                            // for people
  std::string validator;                         // of a URL; empty for a digest
  std::string place;                             // likewise; see blob::Info

  [[nodiscard]] std::uint64_t blocks() const {
    return size / block_size + (size % block_size != 0 ? 1 : 0);
  }
  [[nodiscard]] std::uint64_t state_begin() const { return header_size; }
  [[nodiscard]] std::uint64_t records_begin() const { return header_size + 4096; }
  [[nodiscard]] std::uint64_t data_begin() const;
  [[nodiscard]] std::uint64_t file_size() const { return data_begin() + size; }
};

// The header's own bytes, header_size of them; fills in header.header_size. kCorrupt when the texts
// are too long.
[[nodiscard]] Result<std::vector<std::byte>> encode_header(EntryHeader& header);
// Wants at least the first 4 KiB of the file; when header_size says more, all of it. kCorrupt for
// anything that is no header of this version.
[[nodiscard]] Result<EntryHeader> decode_header(std::span<const std::byte> bytes);
// header_size as the first 4 KiB give it; kCorrupt.
[[nodiscard]] Result<std::size_t> decode_header_size(std::span<const std::byte> bytes);

struct EntryState {
  bool sealed = false;     // held against its digest as a whole, and right
  bool discarded = false;  // held against its digest, and wrong
  blob::Freshness freshness;
  std::uint64_t seal_sum = 0;  // of a seal: SealSum of all records that it was put on
};
[[nodiscard]] std::vector<std::byte> encode_state(const EntryState& state);
// A state that cannot be read is the empty one: it only costs a check or a request more.
[[nodiscard]] EntryState decode_state(std::span<const std::byte> bytes);

struct BlockRecord {
  std::uint64_t checksum = 0;  // 0: the block is not there
  std::uint64_t tag = 0;       // trust_tag() when the bytes last were known to match; 0: none
};
void encode_record(const BlockRecord& record, std::span<std::byte, kRecordSize> into);
[[nodiscard]] BlockRecord decode_record(std::span<const std::byte, kRecordSize> bytes);

// XXH3-64, and 1 in place of 0.
[[nodiscard]] std::uint64_t block_checksum(std::span<const std::byte> bytes);

// The sum of the checksums of all blocks of an entry, in order. A seal holds as long as the sum of
// the records is the one that it was put on: a block that was fetched again was not held against
// the digest, even if a power cut undid the taking away of the seal.
class SealSum {
 public:
  void add(std::uint64_t checksum);     // of the next block
  [[nodiscard]] std::uint64_t value();  // once all blocks were added

 private:
  static constexpr std::size_t kGroup = 4096;  // checksums that are summed together
  void close_group();

  std::vector<std::uint64_t> group_;
  std::uint64_t sum_ = 0;
};

// What makes a file this one, and no copy of it: a copy may well get the inode of the original.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t born = 0;  // see io::File::born()
};

// What a record carries while its block may be trusted: a hash of the boot, and of the file that
// the record lies in, so that a copy of an entry starts untrusted. Never 0.
[[nodiscard]] std::uint64_t trust_tag(std::string_view boot_id, const FileIdentity& file);
// /proc/sys/kernel/random/boot_id; where that cannot be read, an ID of this process's own.
[[nodiscard]] std::string boot_id();

// Another boot, for a test, while no other thread runs.
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
