// Movies that nothing is planned for, since what their tables mean cannot be told.
#include "shunt/boxes/limits.h"
#include "shunt/faststart/plan.h"
#include "support/catch.h"
#include "support/mp4_builder.h"

namespace shunt::faststart {
namespace {

using test::Blob;

Result<mp4::Movie> movie_of(const Blob& blob) {
  return mp4::read_movie(std::make_shared<const io::MemorySource>(blob.to_vector()));
}

// One chunk at byte 40.
Blob chunk_table() {
  return test::box("stco", Blob().u32(0).u32(1).u32(40));
}

Blob movie_with(const Blob& tables) {
  return test::cat(
      test::ftyp(), test::box("mdat", Blob().zeros(100)),
      test::box(
          "moov",
          test::box("trak", test::box("mdia", test::box("minf", test::box("stbl", tables))))));
}

TEST_CASE("a track with two tables of chunks is refused") {
  CHECK(movie_of(movie_with(chunk_table())));
  for (const Blob& second : {chunk_table(), test::box("co64", Blob().u32(0).u32(1).u64(40))}) {
    const auto refused = movie_of(movie_with(test::cat(chunk_table(), second)));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kCorrupt);
    CHECK(refused.error().reason.find("second table of chunks") != std::string::npos);
  }
}

TEST_CASE("so many metas at the top level, and no more") {
  const auto with_metas = [](std::size_t count) {
    Blob blob = movie_with(chunk_table());
    for (std::size_t i = 0; i < count; ++i)
      blob = test::cat(blob, test::box("meta", Blob().u32(0)));
    return movie_of(blob);
  };
  CHECK(with_metas(boxes::kMaxMetas));
  const auto refused = with_metas(boxes::kMaxMetas + 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace shunt::faststart
