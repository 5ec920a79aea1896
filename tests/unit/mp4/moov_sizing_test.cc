#include "shunt/mp4/moov_sizing.h"

#include "shunt/boxes/compressed_moov.h"
#include "support/catch.h"
#include "support/recipes.h"
#include "support/temp_dir.h"

namespace shunt::mp4 {
namespace {

io::SourcePtr source_of(const char* name, const test::TempDir& dir) {
  test::find_recipe(name)->build().write_file(dir.file(name));
  return io::FileSource::open(dir.file(name)).value();
}

std::uint32_t widened_after(const char* name, std::uint64_t unit) {
  const test::TempDir dir;
  auto movie = read_movie(source_of(name, dir));
  REQUIRE(movie);
  Room room;
  room.at = movie->file.insert_at;
  room.unit = unit;
  const auto sizing = size_moov(*movie, room);
  REQUIRE(sizing);
  // The fixpoint: another pass changes nothing.
  CHECK_FALSE(grow_for(movie->moov, *sizing->map, movie->zones).value());
  CHECK(sizing->moov_size == movie->moov.moved_size());
  CHECK(sizing->shift == sizing->moov_size + sizing->free_size);
  return movie->moov.widened_tables();
}

TEST_CASE("tables become 64-bit only where they must, and push others over") {
  CHECK(widened_after("plain", 1) == 0);
  CHECK(widened_after("cross-4g-one", 1) == 1);
  CHECK(widened_after("cross-4g-cascade", 1) == 2);
  CHECK(widened_after("cross-4g-cascade3", 1) == 3);
  CHECK(widened_after("cross-4g-cascade3", 4096) == 3);
}

TEST_CASE("what is left of a room is nothing, or a free box") {
  for (const std::uint64_t unit : {1U, 8U, 4096U, 65536U}) {
    for (const std::uint64_t padding : {0U, 1U, 8U, 5000U}) {
      for (std::uint64_t size = 4070; size < 4110; ++size) {
        Room room;
        room.unit = unit;
        room.padding = padding;
        const std::uint64_t opened = room.opened_for(size);
        REQUIRE(opened % unit == 0);
        REQUIRE(opened >= size + padding);
        REQUIRE((opened == size || opened - size >= 8));
        REQUIRE(opened < size + std::max<std::uint64_t>(padding, 8) + 2 * unit);
      }
    }
  }
}

TEST_CASE("a reserved room is used exactly or with a free box left, never otherwise") {
  const test::TempDir dir;
  auto movie = read_movie(source_of("plain", dir));
  REQUIRE(movie);
  const std::uint64_t size = movie->moov.moved_size();
  const auto fits = [&](std::uint64_t reserved, std::uint64_t padding) {
    Room room;
    room.at = movie->file.insert_at;
    room.reserved = reserved;
    room.padding = padding;
    return size_moov(*movie, room).has_value();
  };
  CHECK(fits(size, 0));
  CHECK(fits(size + 8, 0));
  CHECK_FALSE(fits(size + 7, 0));
  CHECK_FALSE(fits(size + 1, 0));
  CHECK_FALSE(fits(size - 1, 0));
  CHECK_FALSE(fits(size, 1));
  CHECK(fits(size + 8, 8));
  CHECK_FALSE(fits(size + 8, 9));
}

TEST_CASE("a compressed moov is inflated, and its size bounded") {
  const test::TempDir dir;
  auto movie = read_movie(source_of("cmov", dir));
  REQUIRE(movie);
  CHECK(movie->compressed());
  CHECK_FALSE(movie->moov.tables.empty());
  for (const char* name : {"cmov-bomb", "cmov-bomb-claimed", "cmov-short"}) {
    INFO(name);
    const auto refused = read_movie(source_of(name, dir));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kCorrupt);
    CHECK(refused.error().offset);
  }
}

}  // namespace
}  // namespace shunt::mp4
