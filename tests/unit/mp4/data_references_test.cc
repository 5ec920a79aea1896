// Which data lies in this file, and which in others.
#include "shunt/mp4/data_references.h"

#include "shunt/mp4/moov_sizing.h"
#include "support/catch.h"
#include "support/mp4_builder.h"

namespace shunt::mp4 {
namespace {

using namespace std::string_view_literals;
using test::Blob;

std::vector<bool> here(const std::vector<Blob>& entries) {
  Blob all = Blob().u32(entries.size());
  for (const Blob& entry : entries) all.append(entry);
  const io::MemorySource source(test::full_box("dref", 0, 0, all).to_vector());
  io::BufferedReader reader(source);
  const auto dref = boxes::read_box(reader, 0, {0, source.size()});
  REQUIRE(dref);
  const auto references = read_references(reader, *dref);
  REQUIRE(references);
  return *references;
}

Blob entry(std::string_view type, unsigned flags, std::string_view text = {}) {
  return test::full_box(type, 0, flags, Blob().text(text));
}

TEST_CASE("a reference without a location names this file, whatever its flag says") {
  CHECK(here({entry("url ", 1), entry("url ", 1, "http://a/\0"sv)}) == std::vector{true, true});
  CHECK(here({entry("url ", 0), entry("url ", 2), entry("url ", 0, "\0"sv),
              entry("url ", 0, "\0\0\0"sv)}) == std::vector(4, true));
  CHECK(here({entry("urn ", 0), entry("urn ", 0, "\0"sv), entry("urn ", 0, "urn:x\0"sv),
              entry("urn ", 0, "urn:x"), entry("urn ", 0, "urn:x\0\0"sv)}) == std::vector(5, true));
  CHECK(here({entry("alis", 0)}) == std::vector{true});
}

TEST_CASE("a reference with a location names another file") {
  CHECK(here({entry("url ", 0, "http://a/\0"sv), entry("url ", 0, "no end"),
              entry("urn ", 0, "urn:x\0file:///a\0"sv), entry("urn ", 0, "\0file:///a\0"sv),
              entry("alis", 0, "something"), entry("rsrc", 1), entry("imdt", 0),
              entry("odd ", 0)}) == std::vector(8, false));
}

// A movie of one track whose data reference is `reference`, and a fragment that counts from
// byte 40.
Result<Movie> movie_with(const Blob& reference, const Blob& description_index) {
  const unsigned flags = description_index.empty() ? 1 : 3;
  const Blob dref = test::full_box("dref", 0, 0, Blob().u32(1), reference);
  const Blob stsd = test::full_box("stsd", 0, 0, Blob().u32(1),
                                   test::box("sowt", Blob().zeros(6).u16(1).zeros(20)));
  const Blob tkhd = test::full_box("tkhd", 0, 7, Blob().u32(0).u32(0).u32(5).zeros(70));
  const Blob trak = test::box(
      "trak", tkhd,
      test::box("mdia", test::box("minf", test::box("dinf", dref), test::box("stbl", stsd))));
  const Blob trex = test::full_box("trex", 0, 0, Blob().u32(5).u32(1).u32(0).u32(0).u32(0));
  const Blob tfhd = test::full_box("tfhd", 0, flags, Blob().u32(5).u64(40), description_index);
  const Blob moof = test::box("moof", test::box("traf", tfhd));
  return read_movie(std::make_shared<const io::MemorySource>(
      test::cat(test::ftyp(), test::box("mdat", Blob().zeros(100)), moof,
                test::box("moov", trak, test::box("mvex", trex)))
          .to_vector()));
}

TEST_CASE("what a fragment counts from stays where its data lies in another file") {
  const Blob own = entry("url ", 0);
  const Blob other = entry("url ", 0, "http://a/\0"sv);
  CHECK(movie_with(own, {})->fields.fields.size() == 1);
  CHECK(movie_with(other, {})->fields.fields.empty());
  CHECK(movie_with(other, Blob().u32(1))->fields.fields.empty());
  CHECK(movie_with(other, Blob().u32(7))->fields.fields.size() == 1);
}

}  // namespace
}  // namespace shunt::mp4
