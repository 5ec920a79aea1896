// Finds the end of the image on a disk that is larger than the image, from the writes.
#pragma once

#include <cstdint>

#include "shunt/base/byte_range.h"

namespace shunt::sink {

// Zeros that are written belong to the image, as data or as WRITE_ZEROES: a client that copies an
// image ending in zeros sends them. Two things do not count: TRIM, which is not reported here, and
// an initial wipe, with which some clients begin: requests for zeros from byte 0 to the end of the
// disk, each starting where the previous one ended, with no write in between. If nothing but the
// wipe was written, the wipe is the image.
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
  std::uint64_t before_wipe_ = 0;  // end_ when it began
  bool wiped_ = false;
};

}  // namespace shunt::sink
