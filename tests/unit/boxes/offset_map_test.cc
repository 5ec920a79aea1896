#include "shunt/boxes/offset_map.h"

#include <rapidcheck.h>

#include "support/catch.h"

namespace shunt::boxes {
namespace {

TEST_CASE("an empty map moves nothing") {
  const OffsetMap map;
  CHECK(map.map(0) == 0U);
  CHECK(map.map(UINT64_MAX) == UINT64_MAX);
}

TEST_CASE("a map moves as a byte-by-byte copy would") {
  CHECK(rc::check([] {
    // Pieces of a file, some of which get bytes inserted before them.
    OffsetMap map;
    std::vector<std::int64_t> expected;
    std::int64_t delta = 0;
    const auto pieces = *rc::gen::inRange(1, 12);
    for (int i = 0; i < pieces; ++i) {
      delta += *rc::gen::inRange(-3, 20);
      const auto size = *rc::gen::inRange<std::size_t>(0, 30);
      if (static_cast<std::int64_t>(expected.size()) + delta < 0) delta = 0;
      map.add(expected.size(), delta);
      expected.insert(expected.end(), size, delta);
    }
    for (std::size_t at = 0; at < expected.size(); ++at) {
      RC_ASSERT(map.map(at) == at + static_cast<std::uint64_t>(expected[at]));
      const auto stretch = map.stretch_at(at);
      RC_ASSERT(stretch.range.contains(at));
      RC_ASSERT(stretch.delta == expected[at]);
    }
  }));
}

TEST_CASE("what would leave the 64 bits is told") {
  OffsetMap map;
  map.add(0, 100);
  CHECK_FALSE(map.map(UINT64_MAX - 10));
}

}  // namespace
}  // namespace shunt::boxes
