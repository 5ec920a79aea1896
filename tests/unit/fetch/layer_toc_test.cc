// Footers and annotations of image layers: where the table of contents is, and everything that a
// stranger may write there instead.

#include "shunt/fetch/layer_toc.h"

#include <rapidcheck.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"

namespace shunt::fetch {
namespace {

using Ranges = std::vector<ByteRange>;
using Annotations = std::map<std::string, std::string>;

constexpr std::uint64_t kSize = 10'000;
constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

Ranges toc_of(const std::string& tail, std::uint64_t size = kSize,
              const Annotations& annotations = {}) {
  return find_layer_toc(std::as_bytes(std::span(tail)), size, annotations);
}

std::string bytes(std::string_view text) {
  return std::string(text);
}

std::string le(std::uint64_t value, int width) {
  std::string out;
  for (int i = 0; i < width; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
  return out;
}

using namespace std::string_view_literals;

const std::string kEmptyBlock = bytes("\x01\0\0\xff\xff\0\0\0\0\0\0\0\0"sv);

std::string stargz_footer(std::string_view digits) {
  return bytes("\x1f\x8b\x08\x04\0\0\0\0\0\xff\x1a\0SG\x16\0"sv) + bytes(digits) + "STARGZ" +
         kEmptyBlock;
}
std::string old_stargz_footer(std::string_view digits) {
  return bytes("\x1f\x8b\x08\x04\0\0\0\0\0\xff\x16\0"sv) + bytes(digits) + "STARGZ" + kEmptyBlock;
}

std::string chunked_footer(const std::vector<std::uint64_t>& fields,
                           std::string_view magic = "GNUlInUx") {
  std::string payload;
  for (const std::uint64_t field : fields) payload += le(field, 8);
  payload += magic;
  return bytes("\x50\x2a\x4d\x18"sv) + le(payload.size(), 4) + payload;
}

// What may be in front of a footer in the bytes that are looked at.
std::string padded(const std::string& footer) {
  return std::string(kLayerTailSize - footer.size(), 'x') + footer;
}

const std::string kPosition = "io.github.containers.zstd-chunked.manifest-position";
const std::string kSplit = "io.github.containers.zstd-chunked.tarsplit-position";

TEST_CASE("the table of contents of eStargz reaches from its offset to the end", "[fetch]") {
  CHECK(stargz_footer("0000000000001f40").size() == 51);
  CHECK(toc_of(padded(stargz_footer("0000000000001f40"))) == Ranges{{8000, kSize}});
  CHECK(toc_of(stargz_footer("0000000000001F40")) == Ranges{{8000, kSize}});
  CHECK(old_stargz_footer("0000000000001f40").size() == 47);
  CHECK(toc_of(padded(old_stargz_footer("0000000000001f40"))) == Ranges{{8000, kSize}});
}

TEST_CASE("an eStargz footer that does not hold together counts as none", "[fetch]") {
  // The last byte before the footer is the last that may be the table's first.
  CHECK(toc_of(padded(stargz_footer("00000000000026dc"))) == Ranges{{9948, kSize}});
  CHECK(toc_of(padded(stargz_footer("00000000000026dd"))).empty());
  CHECK(toc_of(padded(stargz_footer("ffffffffffffffff"))).empty());
  CHECK(toc_of(padded(old_stargz_footer("ffffffffffffffff"))).empty());
  CHECK(toc_of(padded(stargz_footer("00000000 0001f40"))).empty());
  CHECK(toc_of(padded(stargz_footer("-000000000001f40"))).empty());
  CHECK(toc_of(padded(stargz_footer("000000000000zzzz"))).empty());
  CHECK(toc_of(padded(stargz_footer("0000000000001f40") + "x")).empty());
  CHECK(toc_of(stargz_footer("0000000000001f40").substr(1)).empty());
  CHECK(toc_of(padded(stargz_footer("0000000000001f40")), kMaxLayerTocSize + 20'000).empty());
  for (const std::size_t at : {0U, 1U, 2U, 3U, 10U, 11U, 12U, 13U, 14U, 32U, 37U}) {
    INFO(at);
    std::string footer = stargz_footer("0000000000001f40");
    footer[at] = static_cast<char>(footer[at] ^ 0x20);
    CHECK(toc_of(padded(footer)).empty());
  }
}

TEST_CASE("a zstd:chunked footer names the manifest and tar-split", "[fetch]") {
  const std::string footer = chunked_footer({8000, 500, 4000, 1, 9000, 100, 700});
  CHECK(footer.size() == kLayerTailSize);
  CHECK(toc_of(footer) == Ranges{{8000, 8500}, {9000, 9100}, {9928, kSize}});
  // Neighbours are one range.
  CHECK(toc_of(chunked_footer({8000, 500, 4000, 1, 8500, 1428, 7000})) == Ranges{{8000, kSize}});
  CHECK(toc_of(padded(chunked_footer({8000, 500, 4000, 1}, "GnUlInUx"))) ==
        Ranges{{8000, 8500}, {9952, kSize}});
}

TEST_CASE("a zstd:chunked footer that does not hold together counts as none", "[fetch]") {
  CHECK(toc_of(chunked_footer({9000, 929, 4000, 1, 0, 0, 0})).empty());  // into the footer
  CHECK(toc_of(chunked_footer({kHuge, 500, 4000, 1, 0, 0, 0})).empty());
  CHECK(toc_of(chunked_footer({500, kHuge, 4000, 1, 0, 0, 0})).empty());
  CHECK(toc_of(chunked_footer({kHuge - 100, 200, 4000, 1, 0, 0, 0})).empty());
  CHECK(toc_of(chunked_footer({8000, 0, 0, 1, 0, 0, 0})).empty());
  CHECK(toc_of(chunked_footer({8000, 500, 4000, 2, 0, 0, 0})).empty());  // an unknown type
  CHECK(toc_of(chunked_footer({8000, 500, 4000, 1, 0, 0, 0}, "GNUlInUX")).empty());
  CHECK(toc_of(chunked_footer({8000, 500, 4000, 1, 0, 0, 0}).substr(1)).empty());
  CHECK(toc_of(chunked_footer({0, kMaxLayerTocSize + 1, 1, 1, 0, 0, 0}), kHuge).empty());
  for (const std::size_t at : {0U, 3U, 4U, 7U}) {
    INFO(at);
    std::string footer = chunked_footer({8000, 500, 4000, 1, 0, 0, 0});
    footer[at] = static_cast<char>(footer[at] ^ 0x20);
    CHECK(toc_of(footer).empty());
  }
  // Tar-split alone may be left out.
  CHECK(toc_of(chunked_footer({8000, 500, 4000, 1, kHuge, kHuge, 0})) ==
        Ranges{{8000, 8500}, {9928, kSize}});
}

TEST_CASE("annotations name the same, also without a footer", "[fetch]") {
  const std::string none(kLayerTailSize, 'x');
  CHECK(toc_of(none, kSize, {{kPosition, "8000:500:4000:1"}}) == Ranges{{8000, 8500}});
  CHECK(toc_of(none, kSize, {{kPosition, "8000:500:4000:1"}, {kSplit, "9000:10:70"}}) ==
        Ranges{{8000, 8500}, {9000, 9010}});
  CHECK(toc_of(none, kSize, {{"io.containers.zstd-chunked.manifest-position", "8000:500:1:1"}}) ==
        Ranges{{8000, 8500}});
  CHECK(toc_of(none, kSize, {{kPosition, "9500:500:4000:1"}}) == Ranges{{9500, kSize}});
  // They come before a footer, which is read as well.
  CHECK(toc_of(chunked_footer({8000, 500, 4000, 1, 0, 0, 0}), kSize,
               {{kPosition, "7000:500:4000:1"}}) == Ranges{{7000, 7500}, {9928, kSize}});
}

TEST_CASE("annotations that do not hold together count as none", "[fetch]") {
  const std::string none(kLayerTailSize, 'x');
  for (const char* text :
       {"", ":", "8000", "8000:500:4000", "8000:500:4000:1:", "8000:500:4000:1:1", "8000:500::1",
        "8000:500:4000:2", "-8000:500:4000:1", "+8000:500:4000:1", " 8000:500:4000:1",
        "8000:500:4000:1 ", "0x10:500:4000:1", "8000:0:0:1", "9500:501:4000:1",
        "18446744073709551615:500:1:1", "18446744073709551616:500:1:1",
        "500:18446744073709551615:1:1"}) {
    INFO(text);
    CHECK(toc_of(none, kSize, {{kPosition, text}}).empty());
    // The footer then serves.
    CHECK(toc_of(chunked_footer({8000, 500, 4000, 1, 0, 0, 0}), kSize, {{kPosition, text}}) ==
          Ranges{{8000, 8500}, {9928, kSize}});
  }
  CHECK(toc_of(none, kSize, {{kPosition, "8000:500:1:1"}, {kSplit, "9000:9000:1"}}) ==
        Ranges{{8000, 8500}});
}

TEST_CASE("plain layers have no table of contents", "[fetch]") {
  CHECK(toc_of("", 0).empty());
  CHECK(toc_of("x", 1).empty());
  CHECK(toc_of(std::string(kLayerTailSize, '\0')).empty());
  CHECK(toc_of(stargz_footer("0000000000000000"), 50).empty());  // a tail larger than the whole
}

TEST_CASE("whatever the numbers are, ranges lie within the layer and apart", "[fetch]") {
  CHECK(rc::check([](std::vector<std::uint16_t> low, bool huge) {
    low.resize(7);
    std::vector<std::uint64_t> fields(low.begin(), low.end());
    if (huge) fields[*rc::gen::inRange<std::size_t>(0, 7)] = kHuge - low[0];
    fields[3] = 1;
    const std::uint64_t size = *rc::gen::inRange<std::uint64_t>(kLayerTailSize, 100'000);
    std::uint64_t end = 0;
    bool first = true;
    for (const ByteRange& range : toc_of(chunked_footer(fields), size)) {
      RC_ASSERT(range.begin < range.end);
      RC_ASSERT(range.end <= size);
      RC_ASSERT(first || range.begin > end);
      end = range.end;
      first = false;
    }
  }));
}

TEST_CASE("archives are told by their first bytes", "[fetch]") {
  const auto compressed = [](std::string_view text) {
    return looks_compressed(std::as_bytes(std::span(text)));
  };
  CHECK(compressed("\x1f\x8b\x08\0"sv));
  CHECK(compressed("\x28\xb5\x2f\xfd"sv));
  CHECK(compressed("\x50\x2a\x4d\x18"sv));
  CHECK(compressed("\x5f\x2a\x4d\x18"sv));
  CHECK_FALSE(compressed("\x60\x2a\x4d\x18"sv));
  CHECK_FALSE(
      compressed("\0\0\0\x18"
                 "ftyp"sv));
  CHECK_FALSE(compressed("\x1f"sv));
  CHECK_FALSE(compressed(""sv));
  std::string tar(257, 'a');
  tar += "ustar  ";
  CHECK(looks_like_tar(std::as_bytes(std::span(tar))));
  CHECK_FALSE(looks_like_tar(std::as_bytes(std::span(tar).first(261))));
  CHECK_FALSE(looks_like_tar(std::as_bytes(std::span(tar).subspan(1))));
}

}  // namespace
}  // namespace shunt::fetch
