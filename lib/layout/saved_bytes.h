// Bytes kept aside before they are overwritten, by their place in the original file.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/byte_range.h"
#include "base/result.h"
#include "io/source.h"

namespace shunt::layout {

// Runs of bytes in ascending order that do not overlap. Within `zeros`, what no run covers is zero.
class SavedBytes {
 public:
  struct Run {
    std::uint64_t at = 0;
    std::vector<std::byte> bytes;
    [[nodiscard]] ByteRange range() const { return ByteRange::of(at, bytes.size()); }
  };

  // The content of `range` of `source`, with stretches of zeros left out. kUnsuitable when more
  // than `limit` bytes are left then.
  static Result<SavedBytes> of(const io::Source& source, ByteRange range, std::uint64_t limit);

  // Runs are added in ascending order of their place.
  void add(std::uint64_t at, std::span<const std::byte> bytes);
  void set_zeros(ByteRange zeros) { zeros_ = zeros; }

  [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }
  [[nodiscard]] ByteRange zeros() const { return zeros_; }
  [[nodiscard]] std::uint64_t size() const;

  // Puts the saved bytes over what was read from `offset` of the file.
  void overlay(std::uint64_t offset, std::span<std::byte> into) const;

 private:
  std::vector<Run> runs_;
  ByteRange zeros_;
};

}  // namespace shunt::layout
