// How many bytes the samples of a track take: stsz and stz2 (ISO/IEC 14496-12, 8.7.3), and what a
// constant size means in QuickTime's sound tracks, where it need not be a number of bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/entry_cursor.h"
#include "shunt/io/source.h"

namespace shunt::boxes {

// The boxes that say so.
struct SampleSizeBoxes {
  Box sizes;                // stsz or stz2
  std::optional<Box> stsd;  // of a sound track
  bool sound = false;       // the handler's type is 'soun'
};

// Goes through the samples once, in order. For one thread; the Source is not owned.
class SampleSizes {
 public:
  // A table that holds less than it claims ends where its box does.
  static Result<SampleSizes> open(const io::Source& source, const SampleSizeBoxes& boxes);

  [[nodiscard]] bool at_end() const { return left_ == 0; }
  // The bytes of any `count` samples that follow that description; nullopt where sizes are listed.
  [[nodiscard]] std::optional<std::uint64_t> constant_size(std::uint32_t count,
                                                           std::uint32_t description) const;
  // Goes past `count` samples of a constant size. False when so many are not left.
  bool skip(std::uint32_t count) {
    if (count > left_) return false;
    left_ -= count;
    return true;
  }
  // The bytes of the next `count` samples, which lie in one chunk and follow the sample description
  // numbered `description` (from 1). 0 where that is not known.
  Result<std::uint64_t> take(std::uint32_t count, std::uint32_t description);

 private:
  // So many samples are so many bytes.
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
  std::vector<Unit> units_;     // of a constant size, by description less one; none: bytes
  unsigned bits_ = 32;          // of a listed size
  EntryCursor entries_;
  std::optional<std::uint8_t> half_;  // the second size in a byte of which the first was taken
};

}  // namespace shunt::boxes
