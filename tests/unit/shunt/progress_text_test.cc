#include "progress_text.h"

#include <cstdint>
#include <vector>

#include "shunt/text/columns.h"
#include "support/catch.h"

namespace shunt::cli {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
const std::string kFilm = "\xe6\x98\xa0\xe7\x94\xbb";  // two characters, four columns

ProgressView half_way() {
  ProgressView view;
  view.what = "fetching";
  view.name = "https://example.org/" + kFilm + ".mp4";
  view.done = 512 * kMiB;
  view.total = 1024 * kMiB;
  view.rate = 50 * kMiB;
  view.left = 10;
  return view;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a wide line of progress says all there is") {
  CHECK(progress_text(half_way(), 120) ==
        "fetching  [###########...........]   50%  512 MiB of 1.00 GiB  50.0 MiB/s  0:10 left  "
        "https://example.org/" +
            kFilm + ".mp4");
  ProgressView view = half_way();
  view.total = 0;
  view.left.reset();
  CHECK(progress_text(view, 40) == "fetching  512 MiB  50.0 MiB/s");
}

TEST_CASE("bytes, rate and time left are told from 20 columns on") {
  CHECK(progress_text(half_way(), 40) == "50%  512M of 1.0G  50M/s  0:10");
  CHECK(progress_text(half_way(), 30) == "50%  512M of 1.0G  50M/s  0:10");
  CHECK(progress_text(half_way(), 29) == "512M 50M/s 0:10");
  CHECK(progress_text(half_way(), 19) == "512M 50M/s 0:10");
  ProgressView view = half_way();
  view.done = 1023 * kMiB;
  view.rate = 999 * kMiB;
  view.left = 7 * 3600;
  CHECK(progress_text(view, 19) == "1.0G 999M/s 7:00:00");
  view.left = 70 * 3600;
  CHECK(progress_text(view, 19) == "1.0G 999M/s 70h");
}

TEST_CASE("no line of progress is wider than the terminal") {
  std::vector<ProgressView> views = {{}, half_way()};
  for (const std::uint64_t done : {std::uint64_t{0}, 1023 * kMiB, UINT64_MAX}) {
    for (const double left : {0.0, 3599.6, 359'999.0, 1e18}) {
      ProgressView view = half_way();
      view.done = view.total = done;
      view.rate = done;
      view.left = left;
      views.push_back(view);
    }
  }
  ProgressView several = half_way();
  several.what = "99999/100000 sources";
  several.total = 0;
  several.part = 0.5;
  views.push_back(several);
  for (const std::string& note :
       {std::string("stalled 0:07"), "locked by another process: " + kFilm + kFilm,
        std::string("retry 2: \x1b[31m\xff")}) {
    for (ProgressView view : {half_way(), several, ProgressView{}}) {
      view.note = note;
      views.push_back(view);
    }
  }
  for (const ProgressView& view : views) {
    for (const std::size_t columns : {200u, 120u, 80u, 79u, 60u, 40u, 39u, 30u, 20u, 19u, 5u, 0u}) {
      const std::string text = progress_text(view, columns);
      CAPTURE(text, columns);
      CHECK(columns_of(text) <= columns);
      CHECK(text.find('\x1b') == std::string::npos);
      if (columns >= 19) CHECK_FALSE(text.empty());
    }
  }
}

TEST_CASE("a stall, a retry and a wait for a lock show, also where columns are few") {
  ProgressView view = half_way();
  for (const std::size_t columns : {120u, 80u, 40u, 19u}) {
    view.note = "stalled 0:07";
    CHECK(has(progress_text(view, columns), "stalled 0:07"));
    view.note = "retry 2: the server answers 503";
    CHECK(has(progress_text(view, columns), "retry 2"));
    view.note = "locked by another process: " + kFilm;
    CHECK(has(progress_text(view, columns), "locked"));
  }
}

TEST_CASE("what the cache had has no rate") {
  ProgressView view = half_way();
  view.rate.reset();
  CHECK(has(progress_text(view, 100), "from the cache"));
  CHECK(progress_text(view, 19) == "512M cached 0:10");
}

TEST_CASE("time left is minutes and seconds") {
  CHECK(time_text(0) == "0:00");
  CHECK(time_text(7.4) == "0:07");
  CHECK(time_text(754) == "12:34");
  CHECK(time_text(3599.6) == "1:00:00");
  CHECK(time_text(1e9) == "--:--");
  CHECK(time_text(-1) == "--:--");
}

}  // namespace
}  // namespace shunt::cli
