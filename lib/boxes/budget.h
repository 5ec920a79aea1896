// Accounts for the memory that planning needs for one file, while its tables are being found. Each
// kind has its own limit; this one bounds their sum, whatever the file contains.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shunt::boxes {

// One thread.
class Budget {
 public:
  // Bytes at peak: models, maps, patches and layouts.
  static constexpr std::uint64_t kBytes = std::uint64_t{16} << 20;

  // Bytes per item at peak, including the growth of vectors.
  static constexpr std::uint64_t kTable = 2600;
  static constexpr std::uint64_t kContainer = 150;
  static constexpr std::uint64_t kTrack = 150;  // with external data or in fragments
  static constexpr std::uint64_t kFilterRun = 12;
  static constexpr std::uint64_t kItemBox = 400;     // an iloc, without its items
  static constexpr std::uint64_t kItemByte = 16;     // per byte of an iloc's payload
  static constexpr std::uint64_t kField = 210;       // an offset outside moov
  static constexpr std::uint64_t kTopLevelBox = 16;  // one that may contain offsets
  static constexpr std::uint64_t kFreeBox = 60;

  // Returns false if `count` more of a kind would exceed the budget.
  [[nodiscard]] bool take(std::uint64_t each, std::uint64_t count = 1) {
    if (count > left_ / each) return false;
    left_ -= each * count;
    return true;
  }

  // Returns what was taken and is no longer held.
  void give_back(std::uint64_t each, std::uint64_t count) { left_ += each * count; }

 private:
  std::uint64_t left_ = kBytes;
};

inline constexpr const char* kBeyondBudget =
    "the tables, items and fragments together are larger than supported";

}  // namespace shunt::boxes
