// A cached blob on its way into a file.
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

// Writes parts of a cached blob to their places in a file, in whatever order they come.
class FileDelivery {
 public:
  FileDelivery(const source::Opened& opened, const std::vector<ByteRange>& ranges, io::File& out,
               const Context& context);

  Result<Delivered> run();

 private:
  // Drops what is done; whether anything is left.
  bool next();
  Result<void> take(const io::FarAway::Part& part);
  Result<void> copy(ByteRange range, std::uint64_t place);
  Result<void> copy_buffered(ByteRange range, std::uint64_t place);
  // Through memory: the blocks come in order and do not stay.
  Result<void> copy_in_order();
  // Collects what can be shared until it is worth it.
  Result<void> take_shared(ByteRange range, std::uint64_t place);
  // Shares stretches of at least `least` bytes.
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
  std::vector<ByteRange> left_;
  std::vector<std::uint64_t> places_;  // of left_
  std::vector<Ready> ready_;
  std::vector<std::byte> buffer_;
  bool sharing_ = false;   // extents of the cache's file
  bool uncached_ = false;  // written past the page cache, which has the bytes once already
  bool taken_ = false;     // some of it came through take()
  bool in_order_ = false;  // all of it came through copy_in_order()
};

}  // namespace shunt::fetch
