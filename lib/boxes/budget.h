// What planning holds of one file, counted while its tables are found. Each kind of thing has
// limits of its own; together they stay within this one, so that memory is bounded whatever a file
// is made of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shunt::boxes {

// For one thread.
class Budget {
 public:
  // Bytes, at the time that most is held: models, maps, patches and layouts.
  static constexpr std::uint64_t kBytes = std::uint64_t{16} << 20;

  // What one of each takes then, the growth of vectors included.
  static constexpr std::uint64_t kTable = 2600;
  static constexpr std::uint64_t kContainer = 150;
  static constexpr std::uint64_t kTrack = 150;  // with data elsewhere, or in fragments
  static constexpr std::uint64_t kFilterRun = 12;
  static constexpr std::uint64_t kItemBox = 400;     // an iloc, besides its items
  static constexpr std::uint64_t kItemByte = 16;     // of an iloc's payload
  static constexpr std::uint64_t kField = 210;       // an offset outside moov
  static constexpr std::uint64_t kTopLevelBox = 16;  // one that may hold offsets
  static constexpr std::uint64_t kFreeBox = 60;

  // False when so many more of a kind are too much.
  [[nodiscard]] bool take(std::uint64_t each, std::uint64_t count = 1) {
    if (count > left_ / each) return false;
    left_ -= each * count;
    return true;
  }

  // Of what was taken and is held no longer.
  void give_back(std::uint64_t each, std::uint64_t count) { left_ += each * count; }

 private:
  std::uint64_t left_ = kBytes;
};

inline constexpr const char* kBeyondBudget =
    "all tables, items and fragments together are more than is supported";

}  // namespace shunt::boxes
