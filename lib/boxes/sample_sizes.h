// The sizes of a track's samples: stsz and stz2 (ISO/IEC 14496-12, 8.7.3). In QuickTime sound
// tracks a constant size is not always in bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/entry_cursor.h"
#include "shunt/io/source.h"

namespace shunt::boxes {

// The boxes that give the sizes.
struct SampleSizeBoxes {
  Box sizes;                // stsz or stz2
  std::optional<Box> stsd;  // for a sound track
  bool sound = false;       // handler type is 'soun'
};

// Iterates over the samples once, in order. One thread; the Source is not owned and outlives it.
class SampleSizes {
 public:
  // A table with fewer entries than its count ends where its box ends.
  static Result<SampleSizes> open(const io::Source& source, const SampleSizeBoxes& boxes);

  [[nodiscard]] bool at_end() const { return left_ == 0; }
  // Returns the size in bytes of any `count` samples of that description; nullopt if sizes are
  // listed.
  [[nodiscard]] std::optional<std::uint64_t> constant_size(std::uint32_t count,
                                                           std::uint32_t description) const;
  // Skips `count` samples of constant size. Returns false if fewer are left.
  bool skip(std::uint32_t count) {
    if (count > left_) return false;
    left_ -= count;
    return true;
  }
  // Returns the size in bytes of the next `count` samples, which lie in one chunk and have sample
  // description `description` (from 1). 0 if unknown.
  Result<std::uint64_t> take(std::uint32_t count, std::uint32_t description);

 private:
  // `samples` samples take `bytes` bytes.
  struct Unit {
    std::uint64_t samples = 1;
    std::uint64_t bytes = 0;
  };

  explicit SampleSizes(EntryCursor entries) : entries_(std::move(entries)) {}
  static Result<Unit> read_unit(io::BufferedReader& reader, const Box& entry,
                                std::uint32_t constant);
  Result<void> read_units(const io::Source& source, const Box& stsd);
  Result<std::uint32_t> next_listed();

  std::uint32_t left_ = 0;
  std::uint32_t constant_ = 0;  // 0: sizes are listed
  std::vector<Unit> units_;     // of a constant size, by description less one; empty: bytes
  unsigned bits_ = 32;          // per listed size
  EntryCursor entries_;
  std::optional<std::uint8_t> half_;  // second half of a byte whose first half was taken
};

}  // namespace shunt::boxes
