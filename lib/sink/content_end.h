// Where the image on a disk ends, by what was written: for a disk that is larger than the image.
#pragma once

#include <cstdint>

#include "shunt/base/byte_range.h"

namespace shunt::sink {

// Zeros that are written are part of an image like other bytes, as data or as WRITE_ZEROES, and
// whoever copies an image that ends in zeros sends them so. Two things are not: TRIM, which nobody
// tells this of; and a wipe, which some clients begin with: requests for zeros from byte 0 on to
// the end of the disk, each where the one before has ended, with nothing written in between. A
// wipe that nothing else was written before or after is the image.
class ContentEnd {
 public:
  explicit ContentEnd(std::uint64_t size) : size_(size) {}  // of the disk, in bytes

  void wrote(ByteRange range);   // data, zeros or not
  void zeroed(ByteRange range);  // WRITE_ZEROES
  [[nodiscard]] std::uint64_t end() const { return wiped_ && end_ == 0 ? size_ : end_; }

 private:
  std::uint64_t size_;
  std::uint64_t end_ = 0;
  std::uint64_t wiping_to_ = 0;    // zeros up to here may be a wipe; 0: none has begun
  std::uint64_t before_wipe_ = 0;  // what end_ was when it began
  bool wiped_ = false;
};

}  // namespace shunt::sink
