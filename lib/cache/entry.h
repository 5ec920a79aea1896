// One blob in the cache directory: the BlockStore that lasts.
//
// A block is there when its record has a checksum, and is trusted when the record carries the tag
// of this boot: its bytes were written or checked since the machine was started, so that neither a
// torn write nor a lost one can have come between. Anything else is read and compared first. That
// is why nothing is ever synced.
//
// Order of writes: the block's bytes, then its record, in two calls; a process beside reads the
// record first. Claims are open-file-description locks (fcntl(2), F_OFD_SETLK) on the bytes of the
// records.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cache/block_store.h"
#include "cache/entry_format.h"
#include "vault/vault.h"

namespace shunt::cache {

class Entry final : public BlockStore {
 public:
  // The item holds an entry; kCorrupt when it does not, or is shorter than it should be. `vault`
  // is not owned; it outlives the Entry.
  static Result<std::shared_ptr<Entry>> open(vault::Item item, vault::Vault& vault);
  // Writes header and empty records into an empty file, with their space allocated.
  static Result<void> format(io::File& file, EntryHeader& header);

  [[nodiscard]] const EntryHeader& header() const { return header_; }
  [[nodiscard]] const std::string& key() const { return item_.name(); }
  [[nodiscard]] const vault::Item& item() const { return item_; }
  [[nodiscard]] remote::BlobInfo info() const;
  [[nodiscard]] EntryState state() const;
  Result<void> set_fresh_until(std::int64_t seconds);

  // Bytes of blocks that are there, checked or not.
  [[nodiscard]] Result<std::uint64_t> bytes_cached() const;
  // Reads and compares a block, whatever its record says of boots. False: it was there and did not
  // match; it is absent now.
  [[nodiscard]] Result<bool> recheck(std::uint64_t block);
  // Whether a block is there, checked or not.
  [[nodiscard]] bool recorded(std::uint64_t block) const;

  [[nodiscard]] std::uint64_t size() const override { return header_.size; }
  [[nodiscard]] std::uint64_t block_size() const override { return header_.block_size; }
  [[nodiscard]] bool has(std::uint64_t block) override;
  [[nodiscard]] bool check(std::uint64_t block) override;
  [[nodiscard]] std::uint64_t claim(std::uint64_t begin, std::uint64_t end) override;
  void release(std::uint64_t begin, std::uint64_t end) override;
  [[nodiscard]] bool admit(std::uint64_t bytes) override;
  Result<void> put(std::uint64_t first, std::span<const std::byte> bytes) override;
  [[nodiscard]] Result<bool> read(std::uint64_t offset, std::span<std::byte> into) override;
  [[nodiscard]] io::FileRange backing_file() const override;
  [[nodiscard]] bool sealed() const override { return state().sealed; }
  Result<void> seal() override;
  void discard() override;

 private:
  Entry(vault::Item item, vault::Vault& vault, EntryHeader header);
  [[nodiscard]] std::size_t block_length(std::uint64_t block) const;
  [[nodiscard]] BlockRecord record(std::uint64_t block) const;
  void know(std::uint64_t begin, std::uint64_t end);

  vault::Item item_;
  vault::Vault& vault_;
  EntryHeader header_;
  std::uint64_t boot_;
  std::vector<std::atomic<std::uint64_t>> known_;  // a bit a block: there, and checked
  mutable std::mutex state_mutex_;
};

}  // namespace shunt::cache
