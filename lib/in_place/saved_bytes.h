// Bytes that are saved before they are overwritten, by their offset in the original file.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"

namespace shunt::in_place {

// Runs of bytes in ascending order. Bytes of `zeros` that no run covers are zero. Takes 24 bytes
// per run besides its content.
class SavedBytes {
 public:
  // Saves `range` of `source`, leaving out stretches of zeros. Returns kUnsuitable if more than
  // `limit` bytes remain.
  static Result<SavedBytes> of(const io::Source& source, ByteRange range, std::uint64_t limit);

  // Adds a run. Runs are added in ascending order of their begin; overlapping runs must agree.
  void add(std::uint64_t at, std::span<const std::byte> bytes);
  void set_zeros(ByteRange zeros) { zeros_ = zeros; }

  [[nodiscard]] ByteRange zeros() const { return zeros_; }
  [[nodiscard]] std::size_t count() const { return runs_.size(); }
  [[nodiscard]] ByteRange range(std::size_t run) const {
    return ByteRange::of(runs_[run].at, runs_[run].size);
  }
  // The span is valid until a run is added.
  [[nodiscard]] std::span<const std::byte> bytes(std::size_t run) const {
    return std::span(content_).subspan(runs_[run].content, runs_[run].size);
  }
  [[nodiscard]] bool empty() const { return runs_.empty() && zeros_.empty(); }
  // Number of saved bytes.
  [[nodiscard]] std::uint64_t size() const { return content_.size(); }

  // Copies saved bytes over `into`, which holds what was read at `offset` of the file.
  void overlay(std::uint64_t offset, std::span<std::byte> into) const;

 private:
  struct Run {
    std::uint64_t at = 0;
    std::size_t content = 0;  // within content_
    std::size_t size = 0;
    [[nodiscard]] std::uint64_t end() const { return at + size; }
  };

  std::vector<Run> runs_;
  std::vector<std::byte> content_;
  ByteRange zeros_;
};

}  // namespace shunt::in_place
