// A remote blob as a Source. Each byte is downloaded once, checked, and kept for later runs and for
// other processes.
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
#include "shunt/base/context.h"
#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/blob/origin.h"
#include "shunt/cache/block_store.h"
#include "shunt/io/far_away.h"
#include "shunt/io/source.h"

namespace shunt::cache {

class Filler;

struct SourceOptions {
  unsigned connections = 8;             // maximum, for this blob
  bool offline = false;                 // make no requests; missing data is a kNetwork error
  const CancelToken* cancel = nullptr;  // checked while waiting; may be null
  // How long to wait for a block or a lock that another process holds, while no block comes.
  std::chrono::milliseconds patience = std::chrono::seconds(20);
};

// Thread-safe, like every Source. Memory: the store's map (2 bits per block), and up to 1.25 MiB
// per connection, with 3 MiB more for the first one; more if blocks are larger than 256 KiB.
class CachedSource final : public io::Source, public io::FarAway {
 public:
  // `origin` may be null with `offline`.
  CachedSource(std::shared_ptr<BlockStore> store, std::shared_ptr<blob::Origin> origin,
               blob::Info info, const SourceOptions& options);
  ~CachedSource() override;  // stops its downloads; complete blocks are kept

  [[nodiscard]] const blob::Info& info() const { return info_; }
  [[nodiscard]] std::uint64_t size() const override { return info_.size; }
  [[nodiscard]] std::string name() const override { return info_.name; }
  // Returns the identity of the blob, whatever happens to the cache's file: blocks of another
  // version are never read.
  [[nodiscard]] Result<std::string> identity() const override;
  // Downloads missing blocks and waits for them. Once reads are sequential, also downloads ahead.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            io::Caching caching) const override;
  // Returns the cache's file once the whole blob is present and checked.
  [[nodiscard]] io::FileRange in_file() const override;

  // ---- io::FarAway. missing() returns whole blocks, cut to the range; a wait ends with at least
  // one block. verify() discards the entry if the digest does not match.
  [[nodiscard]] const io::FarAway* far_away() const override { return this; }
  void will_need(const std::vector<ByteRange>& ranges) const override;
  [[nodiscard]] std::vector<ByteRange> missing(ByteRange range) const override;
  [[nodiscard]] Result<ByteRange> wait_for_start(ByteRange range) const override;
  [[nodiscard]] Result<Part> wait_for_any(std::span<const ByteRange> ranges) const override;
  [[nodiscard]] io::FileRange backing_file() const override;
  [[nodiscard]] Result<bool> verify(const Context& context) const override;
  [[nodiscard]] std::uint64_t bytes_fetched() const override;

  // Stores bytes from offset 0 on that have come with the first answer of the server.
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
  mutable std::atomic<bool> whole_{false};  // all blocks have been present and checked

  // For reading ahead. A read that ends behind ahead_from_ requests more.
  mutable std::atomic<bool> planned_{false};
  mutable std::atomic<std::uint64_t> last_end_{0};
  mutable std::atomic<std::uint64_t> ahead_from_{UINT64_MAX};
  mutable Mutex ahead_mutex_;
  mutable std::uint64_t ahead_ SHUNT_GUARDED_BY(ahead_mutex_) = 0;
};

}  // namespace shunt::cache
