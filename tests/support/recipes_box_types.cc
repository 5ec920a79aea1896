// Box types of any four bytes at the top level, and noise that is no box.
#include "support/items.h"
#include "support/recipes.h"

namespace shunt::test {
namespace {

using namespace std::string_view_literals;

// ftyp, `front`, mdat, `between`, moov, `behind`.
Blob around(const Blob& front, const Blob& between, const Blob& behind) {
  const auto tracks = two_tracks();
  return cat(ftyp(), front, box("mdat", interleave(tracks)), between, moov(tracks), behind);
}

}  // namespace

std::vector<Recipe> box_type_recipes() {
  return {
      {"odd-types-front", Expect::kMove, "boxes of types 01 02 ff fe and 00 00 00 01 before mdat",
       [] {
         return around(cat(box("\x01\x02\xff\xfe"sv, Blob().zeros(30000)),
                           box("\0\0\0\1"sv, noise(4, 1, 1000))),
                       {}, {});
       }},
      {"odd-type-between", Expect::kMove, "a box of type 2d 00 00 00 between mdat and moov",
       [] { return around({}, box("-\0\0\0"sv, Blob().zeros(67)), {}); }},
      {"odd-type-first", Expect::kMove, "a box of type 00 00 00 00 with a 64-bit size, then mdat",
       [] {
         const auto tracks = two_tracks();
         return cat(box64("\0\0\0\0"sv, noise(4, 2, 50)), box("mdat", interleave(tracks)),
                    moov(tracks));
       }},
      {"odd-type-behind", Expect::kMove,
       "a box of type 7f 80 81 82 behind moov, and behind it items that move",
       [] {
         const ItemLocations where{
             .items = {{.id = 1, .base = {"item"}, .extents = {{.length = 300}}}}};
         return around(box("zzzz", labelled("item", noise(4, 3, 300))), {},
                       cat(box("\x7f\x80\x81\x82"sv, noise(4, 4, 99)), meta(where)));
       }},
      {"odd-type-broken", Expect::kRefuse, "an odd type whose size does not lead to moov",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), raw_header(5000, "\x01\x02\xff\xfe"sv), noise(4, 5, 100),
                    box("mdat", interleave(tracks)), moov(tracks));
       }},
      {"odd-type-no-moov", Expect::kRefuse, "odd types down to the end, and no moov",
       [] { return cat(ftyp(), box("\1\1\1\1"sv, noise(4, 6, 10)), box("\2\2\2\2"sv)); }},
      {"noise", Expect::kRefuse, "random bytes", [] { return noise(4, 7, 4000); }},
  };
}

}  // namespace shunt::test
