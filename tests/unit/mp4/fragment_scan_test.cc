// What reading many fragments costs, and that it can be stopped.
#include "shunt/mp4/fragment_scan.h"

#include <ctime>

#include "shunt/mp4/moov_sizing.h"
#include "support/catch.h"
#include "support/mp4_builder.h"

namespace shunt::mp4 {
namespace {

using test::Blob;
using test::box;
using test::cat;
using test::full_box;

constexpr std::uint32_t kTracks = 8000;

// So many track fragments of one track, in front of a moov with a trex for each of kTracks.
io::SourcePtr movie_with(std::uint32_t fragments, std::uint32_t track) {
  Blob trafs;
  const Blob traf = box("traf", full_box("tfhd", 0, 0, Blob().u32(track)));
  for (std::uint32_t i = 0; i < fragments; ++i) trafs.append(traf);
  Blob trexes;
  for (std::uint32_t id = kTracks; id > 0; --id) {
    trexes.append(full_box("trex", 0, 0, Blob().u32(id).u32(1).u32(0).u32(0).u32(0)));
  }
  const Blob file =
      cat(box("moof", trafs), box("mdat", Blob().zeros(8)), box("moov", box("mvex", trexes)));
  return std::make_shared<const io::MemorySource>(file.to_vector());
}

double seconds_to_read(std::uint32_t track) {
  const io::SourcePtr movie = movie_with(50'000, track);
  const std::clock_t begin = std::clock();
  REQUIRE(read_movie(movie));
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

TEST_CASE("a track fragment costs the same wherever in moov its track comes") {
  const double first = seconds_to_read(kTracks);
  const double last = seconds_to_read(1);
  CHECK(last < 4 * first + 0.05);
  CHECK(first < 4 * last + 0.05);
}

TEST_CASE("the reading of fragments ends when it is asked to") {
  CancelToken cancel;
  const io::SourcePtr movie = movie_with(10, 1);
  REQUIRE(read_movie(movie, MapUpTo::kMoovInFront, &cancel));
  cancel.request(15);
  const auto stopped = read_movie(movie, MapUpTo::kMoovInFront, &cancel);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace shunt::mp4
