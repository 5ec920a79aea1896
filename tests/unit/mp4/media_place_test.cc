// Media is where chunks, items and fragments point; the type of a box tells little.
#include "shunt/mp4/media_place.h"

#include "shunt/mp4/moov_sizing.h"
#include "support/catch.h"
#include "support/mp4_builder.h"

namespace shunt::mp4 {
namespace {

using test::Blob;
using test::box;
using test::cat;
using test::full_box;

io::SourcePtr source_of(const Blob& blob) {
  return std::make_shared<const io::MemorySource>(blob.to_vector());
}

bool in_front(const Blob& blob) {
  const auto map = locate_media(source_of(blob));
  REQUIRE(map);
  return map->moov_in_front;
}

// One track with a chunk at each of these bytes.
Blob moov_with(const std::vector<std::uint32_t>& chunks, const Blob& more = {}) {
  Blob table = Blob().u32(chunks.size());
  for (const std::uint32_t chunk : chunks) table.u32(chunk);
  const Blob stbl = box("stbl", full_box("stco", 0, 0, table));
  return box("moov", box("trak", box("mdia", box("minf", stbl))), more);
}

Blob content(std::string_view type) {
  return box(type, Blob().zeros(1000));
}

TEST_CASE("samples in a box of any type in front of moov are media in front of it") {
  for (const std::string_view type : {"junk", "free", "skip", "wide", "uuid", "udta"}) {
    INFO(type);
    CHECK_FALSE(in_front(cat(test::ftyp(), content(type), moov_with({40}))));
    CHECK_FALSE(
        in_front(cat(test::ftyp(), content(type), moov_with({5000, 1031}), content("mdat"))));
    CHECK(in_front(cat(test::ftyp(), content(type), moov_with({2000}), content("mdat"))));
    CHECK(in_front(cat(test::ftyp(), content(type), moov_with({}), content("mdat"))));
  }
  // What points at ftyp is no reason, nor is what points at moov.
  CHECK(in_front(cat(test::ftyp(), content("free"), moov_with({8, 1040}))));
  // Without content there is nothing to point at.
  CHECK(in_front(cat(test::ftyp(), box("free"), moov_with({26}))));
}

TEST_CASE("items and fragments are media as well") {
  const auto meta = [](std::uint32_t at) {
    return full_box(
        "meta", 0, 0,
        full_box("iloc", 0, 0, Blob().u16(0x4400).u16(1).u16(1).u16(0).u16(1).u32(at).u32(9)));
  };
  CHECK_FALSE(in_front(cat(test::ftyp(), content("free"), moov_with({}, meta(100)))));
  CHECK(in_front(cat(test::ftyp(), content("free"), moov_with({}, meta(1200)), content("mdat"))));
  CHECK_FALSE(in_front(cat(test::ftyp(), meta(150), content("free"), moov_with({}))));
  const Blob tfhd = full_box("tfhd", 0, 1, Blob().u32(1).u64(100));
  const Blob moof = box("moof", box("traf", tfhd));
  CHECK_FALSE(in_front(cat(test::ftyp(), moof, content("junk"), moov_with({}))));
  CHECK_FALSE(in_front(cat(test::ftyp(), content("junk"), moov_with({}), moof)));
}

TEST_CASE("room behind moov ends where a sample lies") {
  const auto room = [](const std::vector<std::uint32_t>& chunks) {
    const Blob file =
        cat(test::ftyp(), moov_with(chunks), content("free"), content("free"), content("mdat"));
    auto movie = read_movie(source_of(file), MapUpTo::kEnd);
    REQUIRE(movie);
    REQUIRE(movie->file.moov_in_front);
    return movie->room_behind_moov();
  };
  const auto moov_end = static_cast<std::uint32_t>(cat(test::ftyp(), moov_with({1, 2})).size());
  CHECK(room({moov_end + 2 * 1008 + 8, moov_end + 2 * 1008 + 500}) == 2 * 1008);
  CHECK(room({moov_end + 2 * 1008 + 8, moov_end + 1008 + 8}) == 1008);
  CHECK(room({moov_end + 8, moov_end + 2 * 1008 + 8}) == 0);
  // What points in front of moov's end points at no room.
  CHECK(room({8, moov_end - 8}) == 2 * 1008);
  CHECK(room({8, moov_end + 1008 + 8}) == 1008);
}

TEST_CASE("moov goes to the very front where media begins before ftyp") {
  for (const auto& [first, place] : {std::pair{50U, 0U}, {1100U, 1032U}}) {
    const Blob file = cat(content("junk"), test::ftyp(), content("mdat"), moov_with({first, 1100}));
    const auto movie = read_movie(source_of(file));
    REQUIRE(movie);
    CHECK_FALSE(movie->file.moov_in_front);
    CHECK(movie->file.insert_at == place);
    CHECK(movie->zones.insert_at == place);
  }
}

}  // namespace
}  // namespace shunt::mp4
