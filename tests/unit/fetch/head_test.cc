// Which bytes read_head reads of what.

#include "shunt/fetch/head.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "support/catch.h"
#include "support/mp4_builder.h"
#include "support/recording_source.h"

namespace shunt::fetch {
namespace {

using test::Blob;
using test::RecordingSource;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

struct Subject {
  explicit Subject(const Blob& bytes)
      : source(std::make_shared<RecordingSource>(bytes.to_vector())) {
    opened.source = source;
  }
  void read() {
    const auto done = read_head(opened, 2, nullptr);
    if (!done) FAIL(done.error().describe());
  }
  std::shared_ptr<RecordingSource> source;
  source::Opened opened;
};

// Gzip's first bytes, then `size` bytes in all.
Blob gzip_like(std::uint64_t size) {
  return Blob().u32(0x1f8b0800).append(test::noise(1, 1, size - 4));
}

// 3 MiB with a table of contents of 5,000 bytes.
Blob stargz() {
  constexpr std::uint64_t kSize = 3 * kMiB;
  Blob out = gzip_like(kSize - 51);
  out.u32(0x1f8b0804).u32(0).u16(0x00ff).u16(0x1a00).text("SG").u16(0x1600);
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(kSize - 5000));
  return out.text(digits).text("STARGZ").u8(1).u32(0x0000ffff).zeros(8);
}

TEST_CASE("of a layer with a table of contents only that is read", "[fetch]") {
  Subject layer(stargz());
  layer.opened.is_part = true;
  layer.read();
  CHECK(layer.source->all_read({3 * kMiB - 5000, 3 * kMiB}));
  CHECK(layer.source->total() == 5000);
}

TEST_CASE("a layer need not come from an image to be known", "[fetch]") {
  Subject layer(stargz());
  layer.read();
  CHECK(layer.source->all_read({3 * kMiB - 5000, 3 * kMiB}));
  CHECK(layer.source->total() < 6000);
}

TEST_CASE("annotations of a layer are used", "[fetch]") {
  Subject layer(Blob().u32(0x28b52ffd).append(test::noise(1, 1, 3 * kMiB)));
  layer.opened.is_part = true;
  layer.opened.annotations["io.github.containers.zstd-chunked.manifest-position"] =
      "2000000:7000:90000:1";
  layer.read();
  CHECK(layer.source->all_read({2'000'000, 2'007'000}));
  CHECK(layer.source->total() < 8000);
}

TEST_CASE("of other archives the first MiB is read", "[fetch]") {
  const Blob tar = Blob().zeros(257).text("ustar").zeros(3 * kMiB);
  for (const Blob& bytes : {gzip_like(3 * kMiB), tar}) {
    for (const bool is_part : {false, true}) {
      Subject layer(bytes);
      layer.opened.is_part = is_part;
      layer.read();
      CHECK(layer.source->all_read({0, kMiB}));
      CHECK(layer.source->total() <= kMiB + 72);
    }
  }
}

TEST_CASE("of a film its index and first seconds are read", "[fetch]") {
  const std::vector<test::Track> tracks = {test::fixed_track(1, 400, 4, 4096)};
  const Blob file = test::cat(test::ftyp(), test::box("mdat", test::interleave(tracks)),
                              test::labelled("moov", test::moov(tracks)));
  // Media may be in a registry as well.
  for (const bool is_part : {false, true}) {
    Subject film(file);
    film.opened.is_part = is_part;
    film.read();
    CHECK(film.source->all_read({0, 2 * 192'000}));
    CHECK(film.source->all_read({file.labels().at("moov"), file.size()}));
    CHECK(film.source->total() < file.size() / 4);
  }
}

TEST_CASE("of a short track at least the first 64 KiB are read", "[fetch]") {
  const std::vector<test::Track> tracks = {test::fixed_track(1, 1, 1, 64)};
  Subject film(test::cat(test::ftyp(), test::moov(tracks),
                         test::box("mdat", test::interleave(tracks), Blob().zeros(4 * kMiB))));
  film.read();
  CHECK(film.source->all_read({0, 64 << 10}));
  CHECK(film.source->total() < kMiB);
}

TEST_CASE("of anything else the first MiB is read", "[fetch]") {
  Subject other(test::noise(3, 1, 3 * kMiB));
  other.read();
  CHECK(other.source->all_read({0, kMiB}));
  CHECK(other.source->total() < 2 * kMiB);
  Subject small(Blob().text("small"));
  small.read();
  CHECK(small.source->total() == 5);
  Subject empty{Blob()};
  empty.read();
}

TEST_CASE("without the media module a moov box at the end is found", "[fetch]") {
  const std::vector<test::Track> tracks = {test::fixed_track(1, 400, 4, 4096)};
  const Blob file = test::cat(test::ftyp(), test::box("mdat", test::interleave(tracks)),
                              test::labelled("moov", test::moov(tracks)));
  const RecordingSource film(file.to_vector());
  REQUIRE(read_head_without_media(film, nullptr));
  CHECK(film.all_read({0, kMiB}));
  CHECK(film.all_read({file.labels().at("moov"), file.size()}));
  CHECK(film.total() < 2 * kMiB);
}

TEST_CASE("without the media module, what only looks like a film is no error", "[fetch]") {
  const RecordingSource liar(test::cat(test::ftyp(), test::noise(1, 1, 2 * kMiB)).to_vector());
  REQUIRE(read_head_without_media(liar, nullptr));
  CHECK(liar.all_read({0, kMiB}));
}

TEST_CASE("cancelling ends reading a head", "[fetch]") {
  for (const Blob& bytes : {gzip_like(3 * kMiB), stargz(), test::noise(3, 1, 3 * kMiB)}) {
    Subject subject(bytes);
    CancelToken cancel;
    subject.source->before_read = [&] { cancel.request(2); };
    const auto done = read_head(subject.opened, 2, &cancel);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ErrorCode::kInterrupted);
    CHECK(subject.source->total() < kMiB);
  }
}

}  // namespace
}  // namespace shunt::fetch
