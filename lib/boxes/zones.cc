#include "shunt/boxes/zones.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "shunt/base/checked.h"

namespace shunt::boxes {
namespace {

constexpr std::uint64_t kNoEnd = std::numeric_limits<std::uint64_t>::max();

// Returns the last of `size` bytes at `offset`; `size` is not 0.
std::uint64_t last_of(std::uint64_t offset, std::uint64_t size) {
  return checked_add(offset, size - 1).value_or(kNoEnd);
}

}  // namespace

bool Zones::tears(std::uint64_t offset, std::uint64_t size) const {
  const std::uint64_t end = whole_around(offset).end;
  // The largest offset is not a bound.
  return size > 0 && end != kNoEnd && last_of(offset, size) >= end;
}

ByteRange Zones::whole_around(std::uint64_t offset) const {
  ByteRange whole{0, kNoEnd};
  const auto bound = [&](std::uint64_t place) {
    if (place <= offset) {
      whole.begin = std::max(whole.begin, place);
    } else {
      whole.end = std::min(whole.end, place);
    }
  };
  bound(insert_at);
  bound(moov.begin);
  bound(moov.end);
  const auto next = std::ranges::upper_bound(cuts, offset);
  if (next != cuts.end()) bound(*next);
  if (next != cuts.begin()) bound(*std::prev(next));
  return whole;
}

std::string_view Zones::why_torn(std::uint64_t offset, std::uint64_t size) const {
  const std::uint64_t last = last_of(offset, size);
  if (last >= moov.begin && offset < moov.end) {
    return "runs into moov; the media seems to be cut short";
  }
  if (offset < insert_at) return "begins before moov's new place and ends after it";
  return "would be split by item locations that have to grow";
}

}  // namespace shunt::boxes
