// Files that lie: all to be refused quickly, in little memory, without being touched.
#include <algorithm>
#include <stdexcept>

#include "support/recipes.h"

namespace shunt::test {
namespace {

// The "plain" file with the u32 that lies `distance` bytes from the first box type `type` (from its
// first character) set to `value`. -4 is the box's size, 8 a full box's count.
Blob patched(std::string_view type, std::ptrdiff_t distance, std::uint32_t value,
             OffsetTable table = OffsetTable::kStco) {
  std::vector<Track> tracks = {fixed_track(1, 1)};
  tracks[0].table = table;
  auto bytes = cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks)).to_vector();
  const auto wanted = std::as_bytes(std::span(type));
  const auto found = std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end());
  if (found == bytes.end()) throw std::logic_error("no such box");
  for (int i = 0; i < 4; ++i) found[distance + i] = static_cast<std::byte>(value >> (24 - 8 * i));
  return Blob().bytes(bytes);
}

Blob nested(int depth, Blob (*wrap)(const Blob&)) {
  const auto tracks = two_tracks();
  Blob inner = free_box(8);
  for (int i = 0; i < depth; ++i) inner = wrap(inner);
  return cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks, inner));
}

Blob cmov_bomb(std::uint32_t inner_size, std::uint32_t claimed_size) {
  const auto start = cat(raw_header(inner_size, "moov"), mvhd({})).to_vector();
  return cat(ftyp("qt  "), box("mdat", noise(1, 1, 100)),
             cmov_of(claimed_size, deflate_bomb(start, 4096)));
}

// A moov with a meta that holds `boxes`.
Blob with_meta(const Blob& boxes) {
  const auto tracks = two_tracks();
  return cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks, full_box("meta", 0, 0, boxes)));
}

}  // namespace

std::vector<Recipe> hostile_recipes() {
  return {
      {"nested-1000", Expect::kRefuse, "trak in trak, 1000 deep",
       [] { return nested(1000, [](const Blob& inner) { return box("trak", inner); }); }},
      {"nested-meta-1000", Expect::kRefuse, "meta in meta, 1000 deep",
       [] {
         return nested(1000, [](const Blob& inner) { return full_box("meta", 0, 0, inner); });
       }},
      {"overlap", Expect::kRefuse, "a child box that reaches past its parent",
       [] { return patched("mdia", -4, 0x4000); }},
      {"child-size-4", Expect::kRefuse, "a child box smaller than its header",
       [] { return patched("mdia", -4, 4); }},
      {"stco-4g-count", Expect::kRefuse, "stco count 0x3fffffff in a small box",
       [] { return patched("stco", 8, 0x3fffffff); }},
      {"count-overflow", Expect::kRefuse, "co64 count 0x20000001: times 8 is 8 in 32 bits",
       [] { return patched("co64", 8, 0x20000001, OffsetTable::kCo64); }},
      {"stsc-bad-description", Expect::kMove,
       "stsc names a sample description that is not there: no reason to leave the file as it is",
       [] { return patched("stsc", 20, 7); }},
      {"iloc-count", Expect::kRefuse, "iloc that claims 65535 items in a small box",
       [] { return with_meta(full_box("iloc", 0, 0, Blob().u16(0x4440).u16(0xffff).zeros(20))); }},
      {"iloc-bad-width", Expect::kRefuse, "iloc with 3-byte offsets",
       [] { return with_meta(full_box("iloc", 0, 0, Blob().u16(0x3440).u16(1).zeros(40))); }},
      {"moov-truncated", Expect::kRefuse, "moov reaches past the end of the file",
       [] {
         const auto tracks = two_tracks();
         const Blob index = moov_payload(tracks);
         return cat(ftyp(), box("mdat", interleave(tracks)), raw_header(index.size() + 500, "moov"),
                    index);
       }},
      {"mdat-truncated", Expect::kRefuse, "mdat reaches past the end; no moov",
       [] { return cat(ftyp(), raw_header(1'000'000, "mdat"), noise(1, 1, 5000)); }},
      {"mdat64-huge", Expect::kRefuse, "mdat with the 64-bit size 2^64 - 1, moov behind it",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), raw_header(1, "mdat").u64(UINT64_MAX), interleave(tracks),
                    moov(tracks));
       }},
      {"cmov-bomb", Expect::kRefuse, "cmvd that claims 1000 bytes and inflates to 4 GiB",
       [] { return cmov_bomb(1000, 1000); }},
      {"cmov-bomb-claimed", Expect::kRefuse, "cmvd that claims 4 GiB and inflates to it",
       [] { return cmov_bomb(0xfffffff0, 0xffffffff); }},
      {"cmov-short", Expect::kRefuse, "cmvd whose zlib data ends early",
       [] {
         const auto tracks = two_tracks();
         const Blob head = cat(ftyp("qt  "), box("mdat", interleave(tracks)));
         const Blob index = moov(tracks);
         auto data = deflated(index.to_vector(head.labels()));
         data.resize(data.size() / 2);
         return cat(head, cmov_of(static_cast<std::uint32_t>(index.size()), data));
       }},
  };
}

}  // namespace shunt::test
