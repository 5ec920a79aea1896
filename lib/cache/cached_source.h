// A remote blob as a Source: each byte is downloaded once, checked, and kept for the next time and
// for the processes beside.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/byte_range.h"
#include "base/cancel.h"
#include "base/progress.h"
#include "base/result.h"
#include "cache/block_store.h"
#include "io/source.h"
#include "remote/origin.h"

namespace shunt::cache {

class Filler;

struct SourceOptions {
  unsigned connections = 8;             // at most, for this blob
  bool offline = false;                 // no request: what is missing is a kNetwork error
  const CancelToken* cancel = nullptr;  // asked while waiting; may be null
};

// What reading a blob has cost.
struct SourceUse {
  std::uint64_t bytes_fetched = 0;     // of the blob, from the origin, by this Source
  std::uint64_t blocks_refetched = 0;  // blocks whose checksum did not match any more
};

// Thread-safe, like every Source. Memory: the store's map (2 bits a block), and up to 1 MiB a
// connection.
class CachedSource final : public io::Source {
 public:
  // `origin` may be null with `offline`.
  CachedSource(std::shared_ptr<BlockStore> store, std::shared_ptr<remote::Origin> origin,
               remote::BlobInfo info, const SourceOptions& options);
  ~CachedSource() override;  // stops its downloads; what has come stays

  [[nodiscard]] const remote::BlobInfo& info() const { return info_; }
  [[nodiscard]] std::uint64_t size() const override { return info_.size; }
  [[nodiscard]] std::string name() const override { return info_.name; }
  // Downloads what is missing and waits for it; ahead of it too, once reads are sequential.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            io::Caching caching) const override;
  // The cache's file once the whole blob is there and checked.
  [[nodiscard]] io::FileRange in_file() const override;

  // Starts to download what is missing of `ranges`, in this order where order matters to speed, and
  // returns at once. Replaces what was asked for before and has not been started.
  void will_need(std::vector<ByteRange> ranges) const;
  // Bytes that a block store already had when they were first in a byte range given here.
  [[nodiscard]] std::uint64_t present_bytes(ByteRange range) const;
  // What is missing of `range`, in whole blocks cut to it.
  [[nodiscard]] std::vector<ByteRange> missing(ByteRange range) const;

  // Waits until the first bytes of `range` are there and checked, and returns how far they are from
  // its start: at least up to the end of a block, at most `range`.
  [[nodiscard]] Result<ByteRange> wait_for_start(ByteRange range) const;
  // The same for any part of `ranges`, whichever comes first; empty ranges are passed over. The
  // part belongs to the range whose index is returned.
  struct Part {
    std::size_t index = 0;
    ByteRange range;
  };
  [[nodiscard]] Result<Part> wait_for_any(std::span<const ByteRange> ranges) const;
  // Where byte 0 of the blob lies in a local file, whatever is there of it; file is null when the
  // store is in memory. Only what a wait returned may be read from it.
  [[nodiscard]] io::FileRange backing_file() const;

  // Holds the whole blob against its digest, once and for all processes: kIntegrity, and the entry
  // is emptied, when it does not match. Waits for what is missing. Nothing happens without a
  // digest. Returns whether the blob is verified.
  [[nodiscard]] Result<bool> verify(Progress* progress) const;

  [[nodiscard]] SourceUse use() const;

 private:
  remote::BlobInfo info_;
  std::shared_ptr<BlockStore> store_;
  std::unique_ptr<Filler> filler_;
};

}  // namespace shunt::cache
