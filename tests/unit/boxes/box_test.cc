#include "shunt/boxes/box.h"

#include "shunt/mp4/file_map.h"
#include "support/catch.h"
#include "support/mp4_builder.h"

namespace shunt::boxes {
namespace {

using test::Blob;

Result<Box> read_first(const Blob& blob, std::uint64_t parent_size) {
  const io::MemorySource source(blob.to_vector());
  io::BufferedReader reader(source);
  return read_box(reader, 0, {0, parent_size});
}

TEST_CASE("the three ways to give a size") {
  const auto plain = read_first(Blob().u32(16).text("free").zeros(8), 16);
  REQUIRE(plain);
  CHECK(plain->type == BoxType("free"));
  CHECK(plain->range == ByteRange{0, 16});
  CHECK(plain->payload() == ByteRange{8, 16});
  const auto large = read_first(Blob().u32(1).text("mdat").u64(24).zeros(8), 24);
  REQUIRE(large);
  CHECK(large->payload() == ByteRange{16, 24});
  CHECK(large->size_field_at() == 8);
  CHECK(large->size_field_width() == 8);
  const auto open = read_first(Blob().u32(0).text("mdat").zeros(12), 20);
  REQUIRE(open);
  CHECK(open->size_is_zero);
  CHECK(open->range == ByteRange{0, 20});
}

TEST_CASE("sizes that cannot be are refused with their place") {
  for (const Blob& blob : {Blob().u32(7).text("free"), Blob().u32(17).text("free").zeros(8),
                           Blob().u32(1).text("free"), Blob().u32(1).text("free").u64(15),
                           Blob().u32(1).text("free").u64(UINT64_MAX), Blob().u32(8)}) {
    const auto box = read_first(blob, blob.to_vector().size());
    REQUIRE_FALSE(box);
    CHECK(box.error().code == ErrorCode::kCorrupt);
    CHECK(box.error().offset == 0);
  }
}

TEST_CASE("types are told from noise") {
  CHECK(BoxType("moov").plausible());
  CHECK(BoxType(0xa96e616d).plausible());
  CHECK_FALSE(BoxType(0).plausible());
  CHECK_FALSE(BoxType(0x6d6f6f80).plausible());
  CHECK(BoxType(0x6d6f0076).text() == "mo\\x00v");
}

Result<mp4::FileMap> map_of(const Blob& blob) {
  return mp4::map_file(io::MemorySource(blob.to_vector()));
}

Blob moov() {
  return test::box("moov", test::box("mvhd", Blob().zeros(100)));
}
Blob mdat() {
  return test::box("mdat", Blob().zeros(50));
}

TEST_CASE("moov goes behind an ftyp that comes first, otherwise to the very front") {
  const auto usual = map_of(test::cat(test::ftyp(), mdat(), moov()));
  REQUIRE(usual);
  CHECK_FALSE(usual->moov_in_front);
  CHECK(usual->insert_at == test::ftyp().to_vector().size());
  CHECK(usual->moov_is_last());
  const auto late = map_of(test::cat(mdat(), test::ftyp(), moov()));
  REQUIRE(late);
  CHECK(late->insert_at == 0);
  CHECK(map_of(test::cat(test::ftyp(), moov(), mdat()))->moov_in_front);
  CHECK(map_of(test::cat(moov()))->moov_in_front);
}

TEST_CASE("free boxes count only between ftyp and the media") {
  const auto map = map_of(test::cat(test::free_box(16), test::ftyp(), test::free_box(24), mdat(),
                                    test::free_box(32), moov()));
  REQUIRE(map);
  REQUIRE(map->free_in_front.size() == 1);
  CHECK(map->free_in_front.front().range.size() == 24);
}

TEST_CASE("a sidx is never parted from its moof") {
  const auto map =
      map_of(test::cat(test::ftyp(), test::box("sidx", Blob().zeros(20)), test::free_box(4096),
                       test::box("moof", Blob()), mdat(), moov()));
  REQUIRE(map);
  CHECK(map->first_media == test::ftyp().to_vector().size());
  CHECK(map->free_in_front.empty());
}

TEST_CASE("bytes that are no box may follow moov, but not come before it") {
  CHECK(map_of(test::cat(test::ftyp(), mdat(), moov(), Blob().zeros(100))));
  CHECK(map_of(test::cat(test::ftyp(), mdat(), moov(), Blob().text("abc"))));
  const auto before = map_of(test::cat(test::ftyp(), mdat(), Blob().zeros(100), moov()));
  REQUIRE_FALSE(before);
  CHECK(before.error().code == ErrorCode::kCorrupt);
  CHECK_FALSE(map_of(Blob().text("#!/bin/sh\necho this is not a movie\n")));
  CHECK_FALSE(map_of(Blob()));
  CHECK_FALSE(map_of(test::cat(test::ftyp(), mdat(), moov(), moov())));
}

TEST_CASE("a top-level box has a type of any four bytes where the sizes lead to moov") {
  const Blob odd = test::box(std::string_view("\0\1\xff\xfe", 4), Blob().zeros(40));
  for (const Blob& blob :
       {test::cat(odd, mdat(), moov()), test::cat(test::ftyp(), odd, mdat(), moov()),
        test::cat(test::ftyp(), mdat(), odd, odd, moov())}) {
    const auto map = map_of(blob);
    REQUIRE(map);
    CHECK(map->moov.range.end == blob.size());
  }
  // What lies behind such a box is seen.
  const auto behind =
      map_of(test::cat(test::ftyp(), mdat(), moov(), odd, test::box("meta", Blob().zeros(4))));
  REQUIRE(behind);
  CHECK(behind->with_offsets.size() == 1);
  CHECK_FALSE(map_of(test::cat(test::ftyp(), mdat(), moov(), odd, moov())));
}

TEST_CASE("an odd type that does not lead to moov is refused where it stands") {
  const std::uint64_t at = test::ftyp().size();
  const Blob odd = test::box(std::string_view("\0\1\xff\xfe", 4), Blob().zeros(40));
  for (const Blob& blob : {test::cat(test::ftyp(), odd), test::cat(test::ftyp(), odd, mdat()),
                           test::cat(test::ftyp(), odd, Blob().u32(3).text("moov"))}) {
    const auto map = map_of(blob);
    REQUIRE_FALSE(map);
    CHECK(map.error().code == ErrorCode::kCorrupt);
    CHECK(map.error().offset == at);
  }
}

}  // namespace
}  // namespace shunt::boxes
