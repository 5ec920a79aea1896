// Which bytes are read for the first seconds of a file, and which are left alone.

#include "shunt/media/play_head.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/mp4_builder.h"
#include "support/recording_source.h"

namespace shunt::media {
namespace {

using test::Blob;
using test::RecordingSource;

constexpr double kSecondsPerChunk = 4 * 1024 / 48000.0;  // four samples, as support/tracks has them

// Two tracks of 34 seconds and 6.5 MB each.
std::vector<test::Track> long_tracks() {
  return {test::fixed_track(1, 400, 4, 4096), test::fixed_track(2, 400, 4, 4096)};
}

struct Film {
  explicit Film(const Blob& file, const std::string& last_needed)
      : source(file.to_vector()), needed_end(file.labels().at(last_needed)) {
    const Blob::Labels labels = file.labels();
    moov = {labels.at("moov"), labels.at("moov end")};
    mdat = {labels.at("t1.c0"), labels.at("mdat end")};
  }
  RecordingSource source;
  ByteRange moov;
  ByteRange mdat;
  std::uint64_t needed_end;  // media before this are within the time asked for
};

Blob marked_moov(const std::vector<test::Track>& tracks) {
  return test::cat(test::labelled("moov", test::moov(tracks)), Blob().label("moov end"));
}
Blob marked_mdat(const std::vector<test::Track>& tracks) {
  return test::cat(test::box("mdat", test::interleave(tracks)), Blob().label("mdat end"));
}

// The chunk that begins at or before `seconds`.
std::string chunk_at(double seconds) {
  return "t1.c" + std::to_string(static_cast<int>(seconds / kSecondsPerChunk));
}

bool play(const io::Source& source, double seconds) {
  const auto played = play_head(source, seconds, nullptr);
  if (!played) FAIL(played.error().describe());
  return *played;
}

// The index and all of the first two seconds have been read; of the rest not much.
void check_first_seconds(Film& film) {
  CHECK(play(film.source, 2));
  CHECK(film.source.all_read(film.moov));
  CHECK(film.source.all_read({film.mdat.begin, film.needed_end}));
  CHECK(film.source.read_of(film.mdat) < film.mdat.size() / 8);
}

TEST_CASE("of a long film only the index and the first seconds are read", "[media]") {
  const auto tracks = long_tracks();
  Film film(test::cat(test::ftyp(), marked_moov(tracks), marked_mdat(tracks)), chunk_at(2));
  check_first_seconds(film);
}

TEST_CASE("an index at the end is read as well", "[media]") {
  const auto tracks = long_tracks();
  Film film(test::cat(test::ftyp(), marked_mdat(tracks), marked_moov(tracks)), chunk_at(2));
  check_first_seconds(film);
}

TEST_CASE("more seconds read more, and too many read all", "[media]") {
  const auto tracks = long_tracks();
  const Blob file = test::cat(test::ftyp(), marked_moov(tracks), marked_mdat(tracks));
  Film some(file, chunk_at(20));
  CHECK(play(some.source, 20));
  CHECK(some.source.all_read({some.mdat.begin, some.needed_end}));
  CHECK(some.source.read_of(some.mdat) < some.mdat.size() * 3 / 4);
  Film all(file, chunk_at(0));
  CHECK(play(all.source, 1e9));
  CHECK(all.source.all_read(all.mdat));
}

TEST_CASE("a track that lies behind another is read as well", "[media]") {
  auto tracks = long_tracks();
  Blob video_like = test::interleave({tracks[0]});
  Film film(test::cat(test::ftyp(), marked_moov(tracks),
                      test::box("mdat", video_like, test::interleave({tracks[1]})),
                      Blob().label("mdat end")),
            chunk_at(2));
  CHECK(play(film.source, 2));
  CHECK(film.source.all_read({film.mdat.begin, film.needed_end}));
  const std::uint64_t second = film.mdat.begin + film.mdat.size() / 2;
  // libavformat lets it stay behind by a second.
  CHECK(film.source.all_read({second, second + (film.needed_end - film.mdat.begin) / 2}));
  CHECK(film.source.total() < film.source.size() / 4);
}

TEST_CASE("a track that ends early does not make all of the others be read", "[media]") {
  std::vector<test::Track> tracks = {test::fixed_track(1, 4, 4, 4096),
                                     test::fixed_track(2, 400, 4, 4096)};
  Film film(test::cat(test::ftyp(), marked_moov(tracks), marked_mdat(tracks)), "t2.c23");
  CHECK(play(film.source, 2));
  CHECK(film.source.all_read({film.mdat.begin, film.needed_end}));
  CHECK(film.source.read_of(film.mdat) < film.mdat.size() / 2);
}

TEST_CASE("other formats are told by what they look like", "[media]") {
  // WAV: 60 seconds, 48 kHz, 16 bits, two channels; numbers have the least significant byte first.
  constexpr std::uint32_t kRate = 192000;
  constexpr std::uint32_t kData = 60 * kRate;
  const auto le32 = [](std::uint32_t value) { return __builtin_bswap32(value); };
  const Blob file = Blob()
                        .text("RIFF")
                        .u32(le32(kData + 36))
                        .text("WAVEfmt ")
                        .u32(le32(16))
                        .u16(0x0100)
                        .u16(0x0200)
                        .u32(le32(48000))
                        .u32(le32(kRate))
                        .u16(0x0400)
                        .u16(0x1000)
                        .text("data")
                        .u32(le32(kData))
                        .append(test::noise(1, 1, kData));
  RecordingSource source(file.to_vector());
  CHECK(play(source, 5));
  CHECK(source.all_read({0, 5 * kRate}));
  CHECK(source.total() < 7 * kRate);
}

TEST_CASE("of a film in fragments those behind the time are not looked at", "[media]") {
  test::Track track = test::fixed_track(1, 0);
  Blob file = test::cat(test::ftyp(), test::moov({track}, test::mvex({1})));
  constexpr std::uint32_t kSamples = 47;  // a second
  for (std::uint32_t n = 1; n <= 30; ++n) {
    file.append(test::segment({.sequence = n,
                               .first_sample = (n - 1) * kSamples,
                               .decode_time = std::uint64_t{n - 1} * kSamples * 1024,
                               .sample_sizes = std::vector<std::uint32_t>(kSamples, 8192)}));
  }
  RecordingSource source(file.to_vector());
  CHECK(play(source, 2));
  const Blob::Labels labels = file.labels();
  CHECK(source.all_read({0, labels.at("seg2.end")}));
  CHECK(source.read_of({labels.at("seg5"), file.size()}) == 0);
}

TEST_CASE("of audio that tells no times about a MiB is read", "[media]") {
  // ADTS frames of 400 bytes: AAC LC, 48 kHz, two channels, no CRC.
  Blob file;
  for (std::uint32_t n = 0; n < 10'000; ++n) {
    file.u8(0xff).u8(0xf1).u8(0x4c).u8(0x80).u8(400 >> 3).u8(0x1f).u8(0xfc);
    file.append(test::noise(1, n, 393));
  }
  RecordingSource source(file.to_vector());
  CHECK(play(source, 5));
  CHECK(source.all_read({0, 1 << 20}));
  CHECK(source.total() < 3 << 19);
}

TEST_CASE("what is no media file is no error", "[media]") {
  const std::vector<Blob> inputs = {Blob(),
                                    Blob().zeros(4096),
                                    test::noise(7, 1, 100'000),
                                    Blob().text("Not a film, but a text.\n"),
                                    Blob().text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"),
                                    Blob().text("ffconcat version 1.0\nfile /etc/passwd\n")};
  for (const Blob& input : inputs) {
    INFO(input.size());
    CHECK_FALSE(play(RecordingSource(input.to_vector()), 2));
  }
}

TEST_CASE("cancelling ends reading with kInterrupted", "[media]") {
  const auto tracks = long_tracks();
  Film film(test::cat(test::ftyp(), marked_moov(tracks), marked_mdat(tracks)), chunk_at(2));
  for (const int at : {1, 4}) {  // while opening, and among the packets
    CancelToken cancel;
    film.source.reads = 0;
    film.source.before_read = [&] {
      if (film.source.reads == at) cancel.request(2);
    };
    const auto played = play_head(film.source, 1e9, &cancel);
    REQUIRE_FALSE(played);
    CHECK(played.error().code == ErrorCode::kInterrupted);
    CHECK(film.source.reads == at);
  }
}

TEST_CASE("the error of a Source ends reading and comes through", "[media]") {
  class Broken final : public io::Source {
   public:
    explicit Broken(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
    [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
    [[nodiscard]] std::string name() const override { return "broken"; }
    [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                              io::Caching caching) const override {
      if (offset < 200'000) return bytes_.read_at(offset, into, caching);
      ++failures;
      Error error;
      error.code = ErrorCode::kNetwork;
      error.path = "server";
      return error;
    }
    mutable int failures = 0;

   private:
    io::MemorySource bytes_;
  };
  const auto tracks = long_tracks();
  const Broken source(
      test::cat(test::ftyp(), marked_moov(tracks), marked_mdat(tracks)).to_vector());
  const auto played = play_head(source, 10, nullptr);
  REQUIRE_FALSE(played);
  CHECK(played.error().code == ErrorCode::kNetwork);
  CHECK(played.error().path == "server");
  CHECK(source.failures == 1);
}

}  // namespace
}  // namespace shunt::media
