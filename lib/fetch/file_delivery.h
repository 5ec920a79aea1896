// Writes a cached blob to a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/fetch/deliver.h"
#include "shunt/fetch/passing_digest.h"
#include "shunt/io/file.h"
#include "shunt/source/session.h"

namespace shunt::fetch {

// Writes parts of a cached blob to their places in a file, in the order in which they arrive. One
// thread; the arguments of the constructor are not owned and outlive it.
class FileDelivery {
 public:
  FileDelivery(const source::Opened& opened, const std::vector<ByteRange>& ranges, io::File& out,
               const Context& context);

  Result<Delivered> run();

 private:
  // Removes what is done; returns true if anything is left.
  bool next();
  Result<void> take(const io::FarAway::Part& part);
  Result<void> copy(ByteRange range, std::uint64_t place);
  Result<void> copy_buffered(ByteRange range, std::uint64_t place);
  // For a store in memory: blocks come in order and are not kept.
  Result<void> copy_in_order();
  // Collects ranges until it is worth sharing their extents.
  Result<void> take_shared(ByteRange range, std::uint64_t place);
  // Shares the extents of ranges of at least `least` bytes.
  Result<void> share(std::uint64_t least);
  Result<void> share_one(ByteRange range, std::uint64_t place);

  struct Ready {
    ByteRange range;
    std::uint64_t place = 0;
  };

  const source::Opened& opened_;
  io::File& out_;
  const Context context_;
  PassingDigest digest_;
  std::vector<ByteRange> left_;        // still to be delivered
  std::vector<std::uint64_t> places_;  // of left_
  std::vector<Ready> ready_;
  std::vector<std::byte> buffer_;
  bool sharing_ = false;   // shares extents of the cache's file
  bool uncached_ = false;  // writes past the page cache, which has the bytes once already
  bool taken_ = false;     // part of it came through take()
  bool in_order_ = false;  // all of it came through copy_in_order()
};

}  // namespace shunt::fetch
