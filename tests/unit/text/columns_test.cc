#include "shunt/text/columns.h"

#include "support/catch.h"

namespace shunt {
namespace {

const std::string kFilm = "\xe6\x98\xa0\xe7\x94\xbb";  // two characters, four columns

TEST_CASE("columns are counted, not bytes") {
  CHECK(columns_of("") == 0);
  CHECK(columns_of("film.mp4") == 8);
  CHECK(columns_of("Stra\xc3\x9f"
                   "e") == 6);
  CHECK(columns_of(kFilm) == 4);
  CHECK(columns_of("\xf0\x9f\x8e\xac") == 2);
  CHECK(columns_of("e\xcc\x81") == 1);
}

TEST_CASE("what is too wide is cut between characters") {
  CHECK(without_end("film.mp4", 8) == "film.mp4");
  CHECK(without_end("film.mp4", 7) == "film...");
  CHECK(without_beginning("film.mp4", 7) == "....mp4");
  CHECK(without_end(kFilm + kFilm, 7) == kFilm + "...");
  CHECK(without_end(kFilm + kFilm, 6) == "\xe6\x98\xa0...");
  CHECK(without_beginning(kFilm + kFilm, 6) == "...\xe7\x94\xbb");
  // What joins a character goes with it.
  CHECK(without_beginning("abce\xcc\x81"
                          "fgh",
                          6) == "...fgh");
  for (const std::size_t columns : {0u, 1u, 2u}) {
    CHECK(without_end("film.mp4", columns).empty());
    CHECK(without_beginning("film.mp4", columns).empty());
  }
}

TEST_CASE("no width is exceeded, whatever the text") {
  const std::string mixed = "a" + kFilm +
                            "\xcc\x81"
                            "b\xf0\x9f\x8e\xac" +
                            kFilm + "cde";
  for (std::size_t columns = 0; columns < 20; ++columns) {
    CHECK(columns_of(without_end(mixed, columns)) <= columns);
    CHECK(columns_of(without_beginning(mixed, columns)) <= columns);
  }
}

}  // namespace
}  // namespace shunt
