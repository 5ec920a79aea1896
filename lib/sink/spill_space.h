// The allocator of slots in the spill file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace shunt::sink {

// `count` adjoining slots from `first` on.
struct Slots {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

// Hands out slots from the begin of the file on, freed ones first, so that the file is no longer
// than what it holds. Memory is bounded: beyond kMostStretches free stretches, freed slots are not
// reused. One thread at a time.
class SpillSpace {
 public:
  static constexpr std::size_t kMostStretches = 4096;

  // Takes at least one and at most `most` slots; `most` is not 0.
  [[nodiscard]] Slots take(std::uint64_t most);
  void give_back(Slots slots);

  [[nodiscard]] std::uint64_t end() const { return end_; }  // no slot from here on is in use

 private:
  std::map<std::uint64_t, std::uint64_t> free_;  // first, count; none adjoin or end at end_
  std::uint64_t end_ = 0;
};

}  // namespace shunt::sink
