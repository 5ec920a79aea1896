// One blob in the cache directory: the persistent BlockStore.
//
// A block is present if its record has a checksum. It is trusted if the record also has the tag of
// this boot and this file: its bytes were written or checked since the machine started, so that no
// torn or lost write can have come in between. Other blocks are read and compared first. For that
// reason nothing is ever synced.
//
// Order of writes: first the block's bytes, then its record. Other processes read the record first.
// Claims are locks (io::try_lock_range) on the bytes of the records.
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

// Thread-safe. No thread owns any part: the bits of known blocks are atomic, a mutex guards the
// claims of this object, and one thread of the process at a time changes the state in the file.
class Entry final : public BlockStore {
 public:
  // Opens the entry in `item`, which belongs to `vault`. Returns kCorrupt if it is no valid entry
  // or has the wrong length; `item` then stays with the caller.
  static Result<std::shared_ptr<Entry>> open(vault::Item&& item,
                                             std::shared_ptr<vault::Vault> vault);
  // Writes a header and an empty state into an empty file and gives the file its full size.
  static Result<void> format(io::File& file, EntryHeader& header, const blob::Freshness& freshness);
  // Reads the header of an entry and nothing else.
  static Result<EntryHeader> read_header(const io::File& file);
  static EntryState read_state(const io::File& file, const EntryHeader& header);
  // Returns the records of `run`; none if they cannot all be read.
  static std::vector<BlockRecord> read_records(const io::File& file, const EntryHeader& header,
                                               BlockRun run);
  // Returns true if there is a seal and it matches the current records.
  static bool is_sealed(const io::File& file, const EntryHeader& header);
  static std::uint64_t count_recorded(const io::File& file, const EntryHeader& header);

  [[nodiscard]] const EntryHeader& header() const { return header_; }
  [[nodiscard]] const std::string& key() const { return item_.name(); }
  [[nodiscard]] const vault::Item& item() const { return item_; }
  [[nodiscard]] blob::Info info() const;
  // Returns true if the version of the blob is known: by digest or by a validator of the server.
  [[nodiscard]] bool has_version() const { return !of_url() || !header_.validator.empty(); }
  [[nodiscard]] EntryState state() const { return read_state(item_.file(), header_); }
  Result<void> set_freshness(const blob::Freshness& freshness);

  // Number of bytes in recorded blocks, trusted or not.
  [[nodiscard]] Result<std::uint64_t> bytes_cached() const {
    return count_recorded(item_.file(), header_);
  }
  // Reads a recorded block into `bytes`, which has the block's length, and compares it, trusted or
  // not. A block that does not match is removed. kAbsent also if it is being filled again.
  enum class Recheck { kAbsent, kGood, kBad };
  [[nodiscard]] Result<Recheck> recheck(std::uint64_t block, std::span<std::byte> bytes);
  // Number of recorded blocks that this object found not to match.
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
  // Removes the seal: some blocks are gone.
  Result<void> unseal();
  [[nodiscard]] bool discarded() const override { return state().discarded; }
  void discard() override;

 private:
  Entry(vault::Item item, std::shared_ptr<vault::Vault> vault, EntryHeader header,
        std::uint64_t tag);
  [[nodiscard]] bool of_url() const { return key().starts_with("url-"); }
  [[nodiscard]] ByteRange bytes_of(std::uint64_t block) const;
  [[nodiscard]] ByteRange records_of(BlockRun run) const;
  // Returns the records of at most kRecordsAtOnce blocks; a record that cannot be read is empty.
  [[nodiscard]] std::vector<BlockRecord> records(BlockRun run) const;
  [[nodiscard]] bool matches(std::uint64_t block, std::uint64_t checksum) const;
  Result<void> write_record(std::uint64_t block, const BlockRecord& record);
  void know(std::uint64_t block);
  // Removes a block that does not match, for all processes.
  void forget(std::uint64_t block);
  // Does so if its record is still `seen`, unless the block is being filled again. Returns whether
  // it did.
  [[nodiscard]] bool forget_if(std::uint64_t block, const BlockRecord& seen)
      SHUNT_EXCLUDES(claims_mutex_);
  // Removes the seal: the bytes have changed since they were compared with the digest.
  Result<void> lose_seal();
  // The file has been changed from outside: stops writing to it and retires it.
  void give_up();
  // Reads the state, applies `change` and writes it, one process at a time. Returns kBusy if
  // another process held the lock for all of `limit`, and kInterrupted on a request to stop. A
  // caller that does not depend on the change goes on.
  template <typename Change>
  Result<void> update_state(std::chrono::milliseconds limit, Change change);

  std::shared_ptr<vault::Vault> vault_;
  vault::Item item_;
  EntryHeader header_;
  std::uint64_t tag_;
  BlockBits known_;  // present and trusted
  BlockBits bad_;    // recorded but unusable
  std::atomic<bool> given_up_{false};
  // Runs claimed by this object; its file locks do not exclude itself.
  Mutex claims_mutex_;
  std::vector<BlockRun> claims_ SHUNT_GUARDED_BY(claims_mutex_);
  std::atomic<std::uint64_t> bad_blocks_{0};
};

}  // namespace shunt::cache
