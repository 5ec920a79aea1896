// Which data lies in this file, and which in others.
#include "shunt/mp4/data_references.h"

#include <string>
#include <utility>
#include <vector>

#include "shunt/boxes/limits.h"
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

// ---- chunks -------------------------------------------------------------------------------------

Blob dref_of(std::uint32_t said, const std::vector<Blob>& entries) {
  Blob all = Blob().u32(said);
  for (const Blob& one : entries) all.append(one);
  return test::full_box("dref", 0, 0, all);
}

// Sample descriptions, each with the number of its reference (from 1).
Blob stsd_of(const std::vector<unsigned>& references) {
  Blob all = Blob().u32(references.size());
  for (const unsigned reference : references) {
    all.append(test::box("sowt", Blob().zeros(6).u16(reference).zeros(20)));
  }
  return test::full_box("stsd", 0, 0, all);
}

// Runs of chunks: the first one (from 1) and its description (from 1).
Blob stsc_of(const std::vector<std::pair<unsigned, unsigned>>& runs) {
  Blob all = Blob().u32(runs.size());
  for (const auto& [first, description] : runs) all.u32(first).u32(1).u32(description);
  return test::full_box("stsc", 0, 0, all);
}

// Empty blobs are boxes that are not there.
Result<TrackPlace> place_of(const Blob& dref, const Blob& stsd, const Blob& stsc,
                            boxes::Budget budget = {}) {
  const io::MemorySource source(test::cat(dref, stsd, stsc).to_vector());
  io::BufferedReader reader(source);
  TrackReferences track;
  std::uint64_t at = 0;
  for (const auto& [blob, part] : {std::pair(&dref, &track.dref), std::pair(&stsd, &track.stsd),
                                   std::pair(&stsc, &track.stsc)}) {
    if (blob->empty()) continue;
    *part = boxes::read_box(reader, at, {0, source.size()}).value();
    at += blob->size();
  }
  return find_place(reader, track, budget);
}

// Of the first eight chunks, those that lie here, as digits.
std::string chunks_here(const TrackPlace& place) {
  std::string text;
  for (std::uint32_t chunk = 0; chunk < 8; ++chunk) {
    text += place.chunks == nullptr || place.chunks->stretch_at(chunk).here ? '1' : '0';
  }
  return text;
}

const std::vector<Blob> kOwnAndOther{entry("url ", 1), entry("url ", 0, "http://a/")};

TEST_CASE("a chunk lies where its description's reference says") {
  const Blob dref = dref_of(2, kOwnAndOther);
  const Blob stsd = stsd_of({1, 2, 1});
  CHECK(chunks_here(*place_of(dref, stsd, stsc_of({{1, 1}}))) == "11111111");
  CHECK(chunks_here(*place_of(dref, stsd, stsc_of({{1, 2}}))) == "00000000");
  CHECK(chunks_here(*place_of(dref, stsd, stsc_of({{1, 1}, {3, 2}, {4, 2}, {6, 3}}))) ==
        "11000111");
  CHECK(place_of(dref, stsd, {})->descriptions == std::vector{true, false, true});
  const auto some = place_of(dref, stsd, stsc_of({{1, 2}, {8, 1}}));
  CHECK(chunks_here(*some) == "00000001");
  CHECK_FALSE(some->chunks->none_here());
  CHECK(place_of(dref, stsd, stsc_of({{1, 2}}))->chunks->none_here());
  // All that is used lies here: there is nothing to filter.
  CHECK(place_of(dref, stsd, stsc_of({{1, 1}, {5, 3}}))->chunks == nullptr);
}

TEST_CASE("numbers that name nothing mean this file") {
  const Blob dref = dref_of(2, kOwnAndOther);
  CHECK(place_of(dref, stsd_of({0, 3, 2}), {})->descriptions == std::vector{true, true, false});
  const Blob stsd = stsd_of({2});
  CHECK(chunks_here(*place_of(dref, stsd, stsc_of({{1, 0}, {3, 1}, {5, 2}}))) == "11001111");
  // Chunks in front of the first run.
  CHECK(chunks_here(*place_of(dref, stsd, stsc_of({{4, 1}}))) == "11100000");
}

TEST_CASE("without descriptions or chunks the first reference is that of all") {
  const Blob own_first = dref_of(2, kOwnAndOther);
  const Blob other_first = dref_of(2, {kOwnAndOther[1], kOwnAndOther[0]});
  CHECK(chunks_here(*place_of(own_first, {}, {})) == "11111111");
  CHECK(chunks_here(*place_of(other_first, {}, {})) == "00000000");
  CHECK(chunks_here(*place_of(other_first, stsd_of({2}), {})) == "11111111");
  CHECK(chunks_here(*place_of({}, stsd_of({2}), stsc_of({{1, 1}}))) == "11111111");
}

TEST_CASE("where all references are this file's, nothing more is read") {
  const Blob dref = dref_of(2, {kOwnAndOther[0], entry("url ", 0)});
  const auto place = place_of(dref, stsd_of({2}), stsc_of({{5, 1}, {1, 1}}));  // makes no sense
  REQUIRE(place);
  CHECK(place->chunks == nullptr);
  CHECK(place->descriptions.empty());
}

TEST_CASE("references, descriptions and runs that do not hold together are refused") {
  const Blob dref = dref_of(2, kOwnAndOther);
  const Blob stsd = stsd_of({1, 2});
  const auto refused = [](const Result<TrackPlace>& place) {
    return !place && place.error().code == ErrorCode::kCorrupt;
  };
  CHECK_FALSE(refused(place_of(dref, stsd, stsc_of({{1, 1}, {2, 2}}))));
  CHECK(refused(place_of(dref, stsd, stsc_of({{0, 1}}))));
  CHECK(refused(place_of(dref, stsd, stsc_of({{2, 1}, {2, 2}}))));
  CHECK(refused(place_of(dref, stsd, stsc_of({{3, 1}, {2, 2}}))));
  CHECK(refused(place_of(dref_of(3, kOwnAndOther), stsd, {})));
  CHECK(
      refused(place_of(dref, test::full_box("stsd", 0, 0, Blob().u32(2), test::box("sowt")), {})));
  CHECK(refused(
      place_of(dref, stsd, test::full_box("stsc", 0, 0, Blob().u32(2).u32(1).u32(1).u32(2)))));
}

TEST_CASE("a track that changes between files too often is refused") {
  std::vector<std::pair<unsigned, unsigned>> runs;
  for (unsigned chunk = 1; chunk <= boxes::kMaxFilterRuns; ++chunk) {
    runs.emplace_back(chunk, 1 + chunk % 2);
  }
  const Blob dref = dref_of(2, kOwnAndOther);
  const Blob stsd = stsd_of({1, 2});
  CHECK(place_of(dref, stsd, stsc_of(runs)));
  runs.emplace_back(boxes::kMaxFilterRuns + 1, 1 + (boxes::kMaxFilterRuns + 1) % 2);
  const auto refused = place_of(dref, stsd, stsc_of(runs));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason.find("too often") != std::string::npos);

  boxes::Budget small;
  REQUIRE(small.take(boxes::Budget::kBytes - boxes::Budget::kTrack - boxes::Budget::kFilterRun));
  CHECK(place_of(dref, stsd, stsc_of({{1, 2}}), small));
  CHECK_FALSE(place_of(dref, stsd, stsc_of({{1, 2}, {2, 1}}), small));
}

}  // namespace
}  // namespace shunt::mp4
