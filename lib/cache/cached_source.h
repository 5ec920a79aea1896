// A remote blob as a Source: each byte is downloaded once, checked, and kept for the next time and
// for the processes beside.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/mutex.h"
#include "shunt/base/progress.h"
#include "shunt/base/result.h"
#include "shunt/blob/origin.h"
#include "shunt/cache/block_store.h"
#include "shunt/io/far_away.h"
#include "shunt/io/source.h"

namespace shunt::cache {

class Filler;

struct SourceOptions {
  unsigned connections = 8;             // at most, for this blob
  bool offline = false;                 // no request: what is missing is a kNetwork error
  const CancelToken* cancel = nullptr;  // asked while waiting; may be null
  // How long other processes may keep a block, or a lock, without anything coming of it.
  std::chrono::milliseconds patience = std::chrono::seconds(20);
};

// Thread-safe, like every Source. Memory: the store's map (2 bits a block), and up to 1 MiB a
// connection.
class CachedSource final : public io::Source, public io::FarAway {
 public:
  // `origin` may be null with `offline`.
  CachedSource(std::shared_ptr<BlockStore> store, std::shared_ptr<blob::Origin> origin,
               blob::Info info, const SourceOptions& options);
  ~CachedSource() override;  // stops its downloads; what has come stays

  [[nodiscard]] const blob::Info& info() const { return info_; }
  [[nodiscard]] std::uint64_t size() const override { return info_.size; }
  [[nodiscard]] std::string name() const override { return info_.name; }
  // Of the blob, whatever happens to the file that its blocks are kept in: each of them is of this
  // version, or is not read.
  [[nodiscard]] Result<std::string> identity() const override;
  // Downloads what is missing and waits for it; ahead of it too, once reads are sequential.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            io::Caching caching) const override;
  // The cache's file once the whole blob is there and checked.
  [[nodiscard]] io::FileRange in_file() const override;

  // ---- io::FarAway. `missing` is in whole blocks, cut to the range; a wait ends with a block at
  // least. verify() empties the entry where the digest does not match.
  [[nodiscard]] const io::FarAway* far_away() const override { return this; }
  void will_need(const std::vector<ByteRange>& ranges) const override;
  [[nodiscard]] std::vector<ByteRange> missing(ByteRange range) const override;
  [[nodiscard]] Result<ByteRange> wait_for_start(ByteRange range) const override;
  [[nodiscard]] Result<Part> wait_for_any(std::span<const ByteRange> ranges) const override;
  [[nodiscard]] io::FileRange backing_file() const override;
  [[nodiscard]] Result<bool> verify(Progress* progress) const override;
  [[nodiscard]] std::uint64_t bytes_fetched() const override;

  // Takes up bytes from 0 on that came with the first answer of the server.
  void take_head(std::span<const std::byte> bytes) const;

 private:
  [[nodiscard]] BlockRun blocks_of(ByteRange range) const;
  [[nodiscard]] ByteRange bytes_of(BlockRun run) const;
  [[nodiscard]] Error named(const Error& error) const;
  Result<void> read_piece(ByteRange range, std::span<std::byte> into) const;
  void read_ahead(ByteRange range) const SHUNT_EXCLUDES(ahead_mutex_);

  const blob::Info info_;
  const SourceOptions options_;
  const std::shared_ptr<BlockStore> store_;
  const std::unique_ptr<Filler> filler_;
  mutable std::atomic<bool> whole_{false};  // all blocks were there and checked

  // Reading ahead. A read that ends behind ahead_from_ asks for more.
  mutable std::atomic<bool> planned_{false};
  mutable std::atomic<std::uint64_t> last_end_{0};
  mutable std::atomic<std::uint64_t> ahead_from_{UINT64_MAX};
  mutable Mutex ahead_mutex_;
  mutable std::uint64_t ahead_ SHUNT_GUARDED_BY(ahead_mutex_) = 0;
};

}  // namespace shunt::cache
