// Where an image ends, by what was written.
#include "shunt/sink/content_end.h"

#include <algorithm>
#include <cstdint>

#include "support/catch.h"

namespace {

using shunt::ByteRange;
using shunt::sink::ContentEnd;

constexpr std::uint64_t kSize = 1'000'000;

}  // namespace

TEST_CASE("an image ends where what was written ends, zeros or not") {
  ContentEnd content(kSize);
  CHECK(content.end() == 0);
  content.wrote({1000, 2000});
  CHECK(content.end() == 2000);
  content.zeroed({2000, 300'000});
  CHECK(content.end() == 300'000);
  content.wrote({0, 1000});
  CHECK(content.end() == 300'000);
}

TEST_CASE("a wipe of the disk is no content, in whatever pieces it comes") {
  const std::uint64_t piece = GENERATE(as<std::uint64_t>{}, 1'000'000, 500'000, 32'768, 4'096);
  CAPTURE(piece);
  ContentEnd content(kSize);
  content.zeroed({0, 512});  // qemu-img makes a disk so
  for (std::uint64_t at = 0; at < kSize; at += piece) {
    content.zeroed({at, std::min(at + piece, kSize)});
  }
  CHECK(content.end() == kSize);  // nothing else: it may be what was meant
  content.wrote({100, 200});
  CHECK(content.end() == 200);
  content.zeroed({200, 5000});
  CHECK(content.end() == 5000);
}

TEST_CASE("what was written before a wipe was a part of the disk") {
  ContentEnd content(kSize);
  content.wrote({0, 5000});
  content.zeroed({0, kSize});
  CHECK(content.end() == 5000);
}

TEST_CASE("zeros that reach the end are content when they are no wipe") {
  ContentEnd content(kSize);
  SECTION("they do not begin at the beginning") {
    content.zeroed({1, kSize});
  }
  SECTION("there is a gap") {
    content.zeroed({0, 1000});
    content.zeroed({1001, kSize});
  }
  SECTION("something was written in between") {
    content.zeroed({0, 1000});
    content.wrote({1000, 2000});
    content.zeroed({2000, kSize});
  }
  content.wrote({0, 1});
  CHECK(content.end() == kSize);
}
