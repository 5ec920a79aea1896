// One blob in the cache directory: the BlockStore that lasts.
//
// A block is there when its record has a checksum, and is trusted when the record carries the tag
// of this boot and this file: its bytes were written or checked since the machine was started, so
// that neither a torn write nor a lost one can have come between. Anything else is read and
// compared first. That is why nothing is ever synced.
//
// Order of writes: the block's bytes, then its record, in two calls; a process beside reads the
// record first. Claims are locks (io::try_lock_range) on the bytes of the records.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shunt/base/mutex.h"
#include "shunt/blob/origin.h"
#include "shunt/cache/block_bits.h"
#include "shunt/cache/block_store.h"
#include "shunt/cache/entry_format.h"
#include "shunt/vault/vault.h"

namespace shunt::cache {

// Thread-safe, and no thread owns any of it: what is known of blocks is atomic, the claims of this
// object are under a mutex, and the state in the file is changed by one thread of the process at a
// time.
class Entry final : public BlockStore {
 public:
  // The item holds an entry; kCorrupt when it does not, or is not as long as it should be: the item
  // is still the caller's then. `vault` is the one that it is of.
  static Result<std::shared_ptr<Entry>> open(vault::Item&& item,
                                             std::shared_ptr<vault::Vault> vault);
  // Writes a header and an empty state into an empty file, and gives it its full size.
  static Result<void> format(io::File& file, EntryHeader& header, const blob::Freshness& freshness);
  // The header and nothing else of an entry.
  static Result<EntryHeader> read_header(const io::File& file);
  static EntryState read_state(const io::File& file, const EntryHeader& header);
  // The records of `run`; none when they cannot all be read.
  static std::vector<BlockRecord> read_records(const io::File& file, const EntryHeader& header,
                                               BlockRun run);
  // Whether the seal is there, and on the records as they are now.
  static bool is_sealed(const io::File& file, const EntryHeader& header);
  static std::uint64_t count_recorded(const io::File& file, const EntryHeader& header);

  [[nodiscard]] const EntryHeader& header() const { return header_; }
  [[nodiscard]] const std::string& key() const { return item_.name(); }
  [[nodiscard]] const vault::Item& item() const { return item_; }
  [[nodiscard]] blob::Info info() const;
  // Whether anything tells its version: its digest, or what the server said.
  [[nodiscard]] bool has_version() const { return !of_url() || !header_.validator.empty(); }
  [[nodiscard]] EntryState state() const { return read_state(item_.file(), header_); }
  Result<void> set_freshness(const blob::Freshness& freshness);

  // Bytes of blocks that are recorded, trusted or not.
  [[nodiscard]] Result<std::uint64_t> bytes_cached() const {
    return count_recorded(item_.file(), header_);
  }
  // Reads a recorded block into `bytes`, as long as it is, and compares it, trusted or not. A bad
  // one is absent afterwards. kAbsent as well for one that somebody is filling meanwhile.
  enum class Recheck { kAbsent, kGood, kBad };
  [[nodiscard]] Result<Recheck> recheck(std::uint64_t block, std::span<std::byte> bytes);
  // Blocks that were recorded and did not match, as far as this object has seen.
  [[nodiscard]] std::uint64_t bad_blocks() const { return bad_blocks_.load(); }

  [[nodiscard]] std::uint64_t size() const override { return header_.size; }
  [[nodiscard]] std::uint64_t block_size() const override { return header_.block_size; }
  [[nodiscard]] bool has(std::uint64_t block) const override;
  [[nodiscard]] BlockRun next_known(BlockRun within) const override;
  [[nodiscard]] bool check(std::uint64_t block) override;
  [[nodiscard]] BlockRun next_missing(BlockRun within) const override;
  [[nodiscard]] Claim claim(BlockRun run) override SHUNT_EXCLUDES(claims_mutex_);
  void release(BlockRun run) override SHUNT_EXCLUDES(claims_mutex_);
  [[nodiscard]] Room admit(std::uint64_t bytes) override;
  Result<void> put(std::uint64_t first, std::span<const std::byte> bytes) override;
  [[nodiscard]] Result<bool> read(std::uint64_t offset, std::span<std::byte> into) override;
  [[nodiscard]] io::FileRange backing_file() const override;
  [[nodiscard]] bool sealed() const override { return is_sealed(item_.file(), header_); }
  Result<void> seal(std::uint64_t sum) override;
  // Some of its blocks are gone.
  Result<void> unseal();
  [[nodiscard]] bool discarded() const override { return state().discarded; }
  void discard() override;

 private:
  Entry(vault::Item item, std::shared_ptr<vault::Vault> vault, EntryHeader header,
        std::uint64_t tag);
  [[nodiscard]] bool of_url() const { return key().starts_with("url-"); }
  [[nodiscard]] ByteRange bytes_of(std::uint64_t block) const;
  [[nodiscard]] ByteRange records_of(BlockRun run) const;
  // The records of at most kRecordsAtOnce blocks; what cannot be read has none.
  [[nodiscard]] std::vector<BlockRecord> records(BlockRun run) const;
  [[nodiscard]] bool matches(std::uint64_t block, std::uint64_t checksum) const;
  Result<void> write_record(std::uint64_t block, const BlockRecord& record);
  void know(std::uint64_t block);
  // Takes a block out that is not what it should be, here and for everybody.
  void forget(std::uint64_t block);
  // The same for one whose record is still `seen`, unless somebody is just filling it anew. Returns
  // whether it did so.
  [[nodiscard]] bool forget_if(std::uint64_t block, const BlockRecord& seen)
      SHUNT_EXCLUDES(claims_mutex_);
  // What was held against the digest is not what is there any more.
  Result<void> lose_seal();
  // The file is not what it was: nothing is written to it any more, and nobody opens it again.
  void give_up();
  // Reads the state, lets `change` change it, and writes it, one process at a time. kBusy when
  // another has had it for all of `limit`, and kInterrupted when the user says stop: whoever can do
  // without the change goes on.
  template <typename Change>
  Result<void> update_state(std::chrono::milliseconds limit, Change change);

  std::shared_ptr<vault::Vault> vault_;
  vault::Item item_;
  EntryHeader header_;
  std::uint64_t tag_;
  BlockBits known_;  // there, and trusted
  BlockBits bad_;    // recorded, and of no use
  std::atomic<bool> given_up_{false};
  // What this object has claimed. Its locks do not keep it from itself.
  Mutex claims_mutex_;
  std::vector<BlockRun> claims_ SHUNT_GUARDED_BY(claims_mutex_);
  std::atomic<std::uint64_t> bad_blocks_{0};
};

}  // namespace shunt::cache
