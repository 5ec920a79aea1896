// Samples that would not stay together when moov moves are refused, whatever says where they lie.
#include <string_view>
#include <utility>

#include "shunt/mp4/moov_sizing.h"
#include "support/catch.h"
#include "support/mp4_builder.h"

namespace shunt::mp4 {
namespace {

using test::Blob;
using test::box;
using test::cat;
using test::full_box;

constexpr std::uint64_t kFront = 24;    // ftyp's end, where moov goes
constexpr std::uint64_t kMedia = 1000;  // of mdat's payload, which begins at 32
constexpr std::uint64_t kMoov = kFront + 8 + kMedia;

Result<Movie> read(const Blob& moov, const Blob& between = {}, const Blob& behind = {}) {
  const Blob file = cat(test::ftyp(), box("mdat", Blob().zeros(kMedia)), between, moov, behind);
  return read_movie(std::make_shared<const io::MemorySource>(file.to_vector()));
}

// Refused, with the place of the box that says so.
bool torn(const Result<Movie>& movie) {
  if (movie) return false;
  CHECK(movie.error().code == ErrorCode::kCorrupt);
  CHECK(movie.error().offset.has_value());
  return true;
}

struct Sound {
  std::string_view type = "sowt";
  unsigned version = 0;
  unsigned channels = 1;
  unsigned bits = 16;
  Blob more = {};  // of versions 1 and 2
};

struct Table {
  Blob sizes;
  std::uint32_t samples = 1;  // in the one chunk
  Blob handler = Blob().text("vide");
  Blob description = box("mp4v", Blob().zeros(6).u16(1).zeros(70));
  Blob extra = {};
};

Blob constant(std::uint32_t size, std::uint32_t count) {
  return full_box("stsz", 0, 0, Blob().u32(size).u32(count));
}

Blob moov_of(std::uint64_t chunk, const Table& table) {
  const Blob stbl = box("stbl", full_box("stsd", 0, 0, Blob().u32(1), table.description),
                        full_box("stsc", 0, 0, Blob().u32(1).u32(1).u32(table.samples).u32(1)),
                        table.sizes, full_box("stco", 0, 0, Blob().u32(1).u32(chunk)), table.extra);
  const Blob hdlr = full_box("hdlr", 0, 0, Blob().u32(0), table.handler, Blob().zeros(13));
  return box("moov", box("trak", box("mdia", hdlr, box("minf", stbl))));
}

bool is_torn(std::uint64_t chunk, const Table& table) {
  return torn(read(moov_of(chunk, table)));
}

Table sound(std::uint32_t constant_size, std::uint32_t samples, const Sound& s) {
  Table table{constant(constant_size, samples), samples};
  table.handler = Blob().text("soun");
  table.description = box(
      s.type, Blob().zeros(6).u16(1).u16(s.version).zeros(6).u16(s.channels).u16(s.bits).zeros(8),
      s.more);
  return table;
}

TEST_CASE("a chunk of constant sizes that crosses a boundary is refused") {
  CHECK_FALSE(is_torn(kMoov - 100, {constant(10, 10), 10}));
  CHECK(is_torn(kMoov - 99, {constant(10, 10), 10}));
  CHECK_FALSE(is_torn(kFront, {constant(10, 10), 10}));
  CHECK(is_torn(kFront - 1, {constant(10, 10), 10}));
  CHECK(is_torn(8, {constant(1000, 1), 1}));
  CHECK_FALSE(is_torn(8, {constant(16, 1), 1}));  // within ftyp, which stays
  CHECK(is_torn(8, {constant(UINT32_MAX, UINT32_MAX), UINT32_MAX}));
  CHECK(is_torn(kMoov + 20, {constant(10, 10), 10}));  // within moov
  // No more samples than there are.
  CHECK_FALSE(is_torn(kMoov - 100, {constant(10, 10), 1000}));
}

TEST_CASE("a chunk of compact sizes that crosses a boundary is refused") {
  const auto stz2 = [](unsigned bits, const Blob& sizes, std::uint32_t count) {
    return full_box("stz2", 0, 0, Blob().u32(bits).u32(count), sizes);
  };
  const Blob nibbles = stz2(4, Blob().u8(0xfe).u8(0xd0), 3);  // 15, 14, 13
  CHECK_FALSE(is_torn(kMoov - 42, {nibbles, 3}));
  CHECK(is_torn(kMoov - 41, {nibbles, 3}));
  const Blob bytes = stz2(8, Blob().u8(200).u8(100), 2);
  CHECK_FALSE(is_torn(kMoov - 300, {bytes, 2}));
  CHECK(is_torn(kMoov - 299, {bytes, 2}));
  const Blob words = stz2(16, Blob().u16(400).u16(100), 2);
  CHECK_FALSE(is_torn(kMoov - 500, {words, 2}));
  CHECK(is_torn(kMoov - 499, {words, 2}));
}

TEST_CASE("a table of sizes that is cut off counts as far as it goes") {
  const Blob cut = full_box("stsz", 0, 0, Blob().u32(0).u32(1000).u32(50).u32(50));
  CHECK_FALSE(is_torn(kMoov - 100, {cut, 1000}));
  CHECK(is_torn(kMoov - 99, {cut, 1000}));
}

TEST_CASE("a constant of 1 in a sound track is a frame, or what the packets make of it") {
  const Sound stereo{.channels = 2};
  CHECK_FALSE(is_torn(kMoov - 400, sound(1, 100, stereo)));
  CHECK(is_torn(kMoov - 399, sound(1, 100, stereo)));
  CHECK_FALSE(is_torn(kMoov - 400, sound(4, 100, stereo)));
  CHECK(is_torn(kMoov - 399, sound(4, 100, stereo)));
  // 640 samples of ima4 are 340 bytes, by version 1 and by what is known of it.
  const Sound packets{"ima4", 1, 1, 16, Blob().u32(64).u32(34).u32(34).u32(2)};
  CHECK_FALSE(is_torn(kMoov - 340, sound(1, 640, packets)));
  CHECK(is_torn(kMoov - 339, sound(1, 640, packets)));
  CHECK_FALSE(is_torn(kMoov - 340, sound(1, 640, {"ima4"})));
  CHECK(is_torn(kMoov - 339, sound(1, 640, {"ima4"})));
  CHECK_FALSE(is_torn(kMoov - 1, sound(1, 640, {"QDM2"})));  // nobody knows
  const Sound lpcm{"lpcm", 2, 3, 16,
                   Blob().u32(72).u64(0).u32(2).u32(0).u32(16).u32(0).u32(4).u32(1)};
  CHECK_FALSE(is_torn(kMoov - 400, sound(1, 100, lpcm)));
  CHECK(is_torn(kMoov - 399, sound(1, 100, lpcm)));
  // A packet's whole size is a number of bytes.
  const Sound speech{"Qclp", 1, 1, 16, Blob().u32(160).u32(35).u32(35).u32(2)};
  CHECK_FALSE(is_torn(kMoov - 350, sound(35, 10, speech)));
  CHECK(is_torn(kMoov - 349, sound(35, 10, speech)));
  CHECK(is_torn(kMoov - 99, sound(10, 10, {"mp4a"})));
}

TEST_CASE("auxiliary information that crosses a boundary is refused") {
  const auto with_aux = [](const Blob& saiz, std::uint32_t at) {
    return Table{constant(1, 2), 2, Blob().text("vide"), box("mp4v", Blob().zeros(78)),
                 cat(full_box("saiz", 0, 0, saiz), full_box("saio", 0, 0, Blob().u32(1).u32(at)))};
  };
  const Blob same = Blob().u8(8).u32(2);
  const Blob each = Blob().u8(0).u32(2).u8(12).u8(4);
  for (const Blob& saiz : {same, each}) {
    CHECK_FALSE(is_torn(100, with_aux(saiz, kMoov - 16)));
    CHECK(is_torn(100, with_aux(saiz, kMoov - 15)));
    CHECK(is_torn(100, with_aux(saiz, kFront - 1)));
    CHECK_FALSE(is_torn(100, with_aux(saiz, kMoov + 40)));
  }
}

TEST_CASE("an item that crosses a boundary is refused") {
  const auto meta = [](std::uint32_t base, std::uint32_t offset, std::uint32_t length) {
    return full_box(
        "meta", 0, 0,
        full_box("iloc", 0, 0,
                 Blob().u16(0x4440).u16(1).u16(1).u16(0).u32(base).u16(1).u32(offset).u32(length)));
  };
  const Blob moov = box("moov", box("mvhd", Blob().zeros(100)));
  const auto in_file = [&](const Blob& box) { return read(moov, {}, box); };
  CHECK_FALSE(torn(in_file(meta(kMoov - 20, 10, 10))));
  CHECK(torn(in_file(meta(kMoov - 20, 10, 11))));
  CHECK(torn(in_file(meta(0, 8, 30))));
  CHECK_FALSE(torn(in_file(meta(0, 8, 0))));  // to wherever that ends
  const auto in_moov = [&](const Blob& meta_box) { return read(box("moov", meta_box)); };
  CHECK_FALSE(torn(in_moov(meta(kMoov - 20, 10, 10))));
  CHECK(torn(in_moov(meta(kMoov - 20, 10, 11))));
}

struct RunOf {
  unsigned flags = 0x201;
  std::uint32_t distance = 0;
  Blob rest = {};
};

// A moof behind mdat, moov behind that; `tfhd` is what comes behind the track's number.
Result<Movie> fragment(unsigned tfhd_flags, const Blob& tfhd, const RunOf& run) {
  const Blob trun = full_box("trun", 0, run.flags, Blob().u32(2).u32(run.distance), run.rest);
  const Blob traf = box("traf", full_box("tfhd", 0, tfhd_flags, Blob().u32(1), tfhd), trun);
  const Blob trex = full_box("trex", 0, 0, Blob().u32(1).u32(1).u32(0).u32(50).u32(0));
  return read(box("moov", box("mvex", trex)), box("moof", traf));
}

TEST_CASE("the run of a fragment that crosses a boundary is refused") {
  const Blob listed = Blob().u32(60).u32(40);
  // From an absolute base.
  CHECK_FALSE(torn(fragment(1, Blob().u64(500), {0x201, 0, listed})));
  CHECK(torn(fragment(1, Blob().u64(10), {0x201, 0, listed})));
  CHECK(torn(fragment(1, Blob().u64(0), {0x201, kMoov, listed})));  // to moof's end and on
  // From the moof, which lies at kMoov. Sizes listed, in tfhd, and in trex.
  const auto at = [](std::int64_t place) {
    return static_cast<std::uint32_t>(place - static_cast<std::int64_t>(kMoov));
  };
  CHECK_FALSE(torn(fragment(0x20000, {}, {0x201, at(kFront), listed})));
  CHECK(torn(fragment(0x20000, {}, {0x201, at(kFront - 1), listed})));
  CHECK(torn(fragment(0x20000, {}, {0x001, at(kFront - 1), {}})));
  CHECK(torn(fragment(0x20010, Blob().u32(3), {0x001, at(kFront - 5), {}})));
  CHECK(torn(fragment(0, {}, {0x001, 20, {}})));
  // In front of where moov goes: the moof would leave it behind.
  CHECK(torn(fragment(0x20010, Blob().u32(2), {0x001, at(8), {}})));
}

TEST_CASE("a chunk around item locations that have to grow is refused") {
  // An item at address 0 with no field to hold another one; it moves, so that the meta grows.
  const Blob grows = full_box(
      "meta", 0, 0, full_box("iloc", 0, 0, Blob().u16(0x0400).u16(1).u16(1).u16(0).u16(1).u32(20)));
  const std::uint64_t edge = 8 + kMedia;  // where the meta begins
  for (const auto& [chunk, is_refused] : {std::pair{edge - 100, false}, {edge - 99, true}}) {
    const Blob file = cat(box("mdat", Blob().zeros(kMedia)), grows, box("mdat", Blob().zeros(200)),
                          moov_of(chunk, {constant(100 + (is_refused ? 60 : 0), 1), 1}));
    auto movie = read_movie(std::make_shared<const io::MemorySource>(file.to_vector()));
    REQUIRE(movie);
    Room room;
    room.keep_old_moov = false;
    const auto sized = size_moov(*movie, room);
    CHECK(sized.has_value() != is_refused);
    if (!sized) CHECK(sized.error().code == ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace shunt::mp4
