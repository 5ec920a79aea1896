// Samples that lie on both sides of where moov goes, or run into it; and such as only come close.
#include "support/recipes.h"

namespace shunt::test {
namespace {

// Track 1 as usual; track 2 has one chunk of `samples` samples of `sample_size` bytes at `at`.
std::vector<Track> with_chunk(Position at, std::uint32_t samples, std::uint32_t sample_size) {
  std::vector<Track> tracks = {fixed_track(1, 8), fixed_track(2, 1, samples, sample_size)};
  tracks[1].chunks[0].at = std::move(at);
  return tracks;
}

Blob movie(const std::vector<Track>& tracks) {
  return cat(ftyp(), box("mdat", interleave({tracks[0]}), labelled("last", noise(11, 1, 400))),
             moov(tracks));
}

// The same with the sizes of track 2 listed.
std::vector<Track> listed(std::vector<Track> tracks) {
  tracks[1].sample_sizes.assign(tracks[1].sample_count(), tracks[1].sample_size);
  tracks[1].sample_size = 0;
  return tracks;
}

}  // namespace

std::vector<Recipe> torn_recipes() {
  return {
      {"chunk-across-ftyp", Expect::kRefuse, "a chunk of constant sizes from ftyp into mdat",
       [] {
         return movie(with_chunk({{}, 8}, 10, 10));
       }},
      {"chunk-across-ftyp-listed", Expect::kRefuse, "the same with listed sizes",
       [] {
         return movie(listed(with_chunk({{}, 8}, 10, 10)));
       }},
      {"chunk-into-moov", Expect::kRefuse, "a chunk of constant sizes that runs one byte into moov",
       [] { return movie(with_chunk({"last"}, 1, 401)); }},
      {"chunk-into-moov-listed", Expect::kRefuse, "the same with listed sizes",
       [] { return movie(listed(with_chunk({"last"}, 1, 401))); }},
      {"chunk-across-moov", Expect::kRefuse, "a chunk that begins in one mdat and ends in another",
       [] {
         const auto tracks = with_chunk({"last"}, 1, 10000);
         return cat(movie(tracks), box("mdat", noise(11, 2, 20000)));
       }},
      {"chunk-to-moov", Expect::kMove, "chunks from ftyp's end to the last byte before moov",
       [] {
         const auto tracks = with_chunk({"last", 0}, 4, 100);
         Track whole = fixed_track(3, 1, 1, 16 + 8 * 4 * 64 + 400 - 8);
         whole.chunks[0].at = {{}, ftyp().size()};
         return movie({tracks[0], tracks[1], whole});
       }},
      {"chunk-past-end", Expect::kMove, "a chunk behind moov that runs past the end of the file",
       [] {
         const auto tracks = with_chunk({"end"}, 1, 10000);
         return cat(movie(tracks), box("mdat", labelled("end", noise(11, 3, 100))));
       }},
      {"chunk-in-ftyp", Expect::kMove, "a chunk that lies in ftyp, which stays where it is",
       [] {
         return movie(with_chunk({{}, 8}, 2, 8));
       }},
  };
}

}  // namespace shunt::test
