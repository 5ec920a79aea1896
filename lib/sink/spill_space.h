// Which slots of the spill file are free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace shunt::sink {

// `count` neighbouring slots from `first` on.
struct Slots {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

// Slots are given out from the beginning of the file on, those that were given back first, so that
// the file is as long as what it holds, wherever that lies on the disk. Memory is bounded: of free
// stretches beyond kMostStretches, the addresses are not used again. For one thread at a time.
class SpillSpace {
 public:
  static constexpr std::size_t kMostStretches = 4096;

  // At least one and at most `most`, which is not 0.
  [[nodiscard]] Slots take(std::uint64_t most);
  void give_back(Slots slots);

  [[nodiscard]] std::uint64_t end() const { return end_; }  // no slot from here on is in use

 private:
  std::map<std::uint64_t, std::uint64_t> free_;  // first and count; no two adjoin, none at the end
  std::uint64_t end_ = 0;
};

}  // namespace shunt::sink
