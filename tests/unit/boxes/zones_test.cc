// The regions that move differently when moov moves.
#include "shunt/boxes/zones.h"

#include <rapidcheck.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "support/catch.h"

namespace shunt::boxes {
namespace {

constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

// Small numbers, so that bounds are met, and the largest ones.
std::uint64_t place(std::uint64_t number) {
  return number % 7 == 0 ? kLargest - number / 7 % 20 : number % 100;
}

// Bounds in order: where moov goes, the old moov, cuts.
std::vector<std::uint64_t> bounds_of(const Zones& zones) {
  std::vector<std::uint64_t> bounds = zones.cuts;
  bounds.insert(bounds.end(), {zones.insert_at, zones.moov.begin, zones.moov.end});
  return bounds;
}

Zones zones_at(std::vector<std::uint64_t> places, std::vector<std::uint64_t> cuts) {
  for (std::uint64_t& one : places) one %= 100;
  for (std::uint64_t& one : cuts) one %= 100;
  std::ranges::sort(places);
  std::ranges::sort(cuts);
  return {places[0], {places[1], places[2]}, cuts};
}

TEST_CASE("bytes are torn when a bound lies among them, and only then") {
  CHECK(rc::check([](std::uint64_t a, std::uint64_t b, std::uint64_t c,
                     const std::vector<std::uint64_t>& cuts, std::uint64_t from,
                     std::uint64_t number) {
    const Zones zones = zones_at({a, b, c}, cuts);
    const std::uint64_t offset = place(from);
    const std::uint64_t size = place(number);
    const std::uint64_t last =
        size > 0 && size - 1 > kLargest - offset ? kLargest : offset + size - 1;
    const auto bounds = bounds_of(zones);
    const bool torn = size > 0 && std::ranges::any_of(bounds, [&](std::uint64_t bound) {
                        return offset < bound && bound <= last;
                      });
    RC_ASSERT(zones.tears(offset, size) == torn);
  }));
}

TEST_CASE("what stays together around an offset is all between two bounds") {
  CHECK(rc::check([](std::uint64_t a, std::uint64_t b, std::uint64_t c,
                     const std::vector<std::uint64_t>& cuts, std::uint64_t from) {
    const Zones zones = zones_at({a, b, c}, cuts);
    const std::uint64_t offset = place(from);
    const ByteRange whole = zones.whole_around(offset);
    RC_ASSERT(whole.begin <= offset && (offset < whole.end || whole.end == kLargest));
    const auto bounds = bounds_of(zones);
    RC_ASSERT(std::ranges::none_of(
        bounds, [&](std::uint64_t bound) { return whole.begin < bound && bound < whole.end; }));
    RC_ASSERT(whole.begin == 0 || std::ranges::find(bounds, whole.begin) != bounds.end());
    RC_ASSERT(whole.end == kLargest || std::ranges::find(bounds, whole.end) != bounds.end());
  }));
}

}  // namespace
}  // namespace shunt::boxes
