// What tracks can hold: both widths of offset table, external media, auxiliary information, cmov.
#include "support/recipes.h"

namespace shunt::test {
namespace {

using Kind = DataReference::Kind;

Blob movie(const std::vector<Track>& tracks) {
  return cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks));
}

// Track 1 in this file, track 2 wholly in the file that `reference` names.
Blob external_movie(const DataReference& reference) {
  Track away = fixed_track(2, 6);
  for (std::size_t i = 0; i < away.chunks.size(); ++i) away.chunks[i].at = {{}, 100 + 256 * i};
  away.data_references = {reference};
  return movie({fixed_track(1, 8), away});
}

// Both tracks in this file, by a reference that does not say so and names no other file.
Blob unnamed_movie(const DataReference& reference) {
  auto tracks = two_tracks();
  for (Track& track : tracks) track.data_references = {reference};
  return movie(tracks);
}

// No track in this file.
Blob all_external_movie() {
  auto tracks = two_tracks();
  for (Track& track : tracks) {
    track.data_references = {{Kind::kUrl, "file:///elsewhere/media.mov"}};
    for (std::size_t i = 0; i < track.chunks.size(); ++i) track.chunks[i].at = {{}, 100 + 256 * i};
  }
  return cat(ftyp(), box("mdat", noise(9, 8, 500)), moov(tracks));
}

// One track; every third chunk is external: stsd entry 1 is external, entry 2 is in this file.
Blob mixed_movie() {
  Track track = fixed_track(1, 12);
  track.data_references = {{Kind::kAlis, "/elsewhere/media.mov"}, {}};
  track.descriptions = {1, 2};
  for (std::size_t i = 0; i < track.chunks.size(); ++i) {
    const bool external = i % 3 == 1;
    track.chunks[i].description = external ? 1 : 2;
    if (external) track.chunks[i].at = {{}, 40 + 100 * i};
  }
  return movie({track, varying_track(2, 8)});
}

enum class Aux { kInMoov, kInMdat };

// saio with one offset per chunk group as `version` and `where` say, on both tracks.
Blob aux_movie(unsigned version, Aux where) {
  auto tracks = two_tracks();
  Blob media = interleave(tracks);
  for (Track& track : tracks) {
    const std::string label = "aux" + std::to_string(track.id);
    if (where == Aux::kInMoov) {
      track.extra_stbl = cat(saiz(track), saio(version, {{label}}), senc(track, label));
    } else {
      media.append(sample_aux_data(track, label));
      track.extra_stbl = cat(saiz(track), saio(version, {{label}}));
    }
  }
  return cat(ftyp(), box("mdat", media), moov(tracks));
}

Blob compressed_movie(const std::vector<Track>& tracks) {
  const Blob head = cat(ftyp("qt  "), box("mdat", interleave(tracks)));
  return cat(head, compressed_moov(moov(tracks), head.labels()));
}

}  // namespace

std::vector<Recipe> track_recipes() {
  return {
      {"plain-co64", Expect::kMove, "co64 tables",
       [] {
         auto tracks = two_tracks();
         for (Track& track : tracks) track.table = OffsetTable::kCo64;
         return movie(tracks);
       }},
      {"mixed-stco-co64", Expect::kMove, "one track with stco, one with co64, one with stco",
       [] {
         auto tracks = two_tracks();
         tracks[1].table = OffsetTable::kCo64;
         tracks.push_back(fixed_track(3, 5, 2, 100));
         return movie(tracks);
       }},
      {"many-tracks", Expect::kMove, "500 tracks",
       [] {
         std::vector<Track> tracks;
         for (std::uint32_t id = 1; id <= 500; ++id) tracks.push_back(fixed_track(id, 3, 2, 16));
         return movie(tracks);
       }},
      {"cmov", Expect::kMove, "compressed moov", [] { return compressed_movie(two_tracks()); }},
      {"cmov-big", Expect::kMove, "compressed moov of some MiB when inflated",
       [] {
         std::vector<Track> tracks = {fixed_track(1, 2000, 200, 0), fixed_track(2, 20000, 1, 4)};
         for (std::uint32_t i = 0; i < 400'000; ++i) {
           tracks[0].sample_sizes.push_back(1 + (i * 2654435761U >> 28U));
         }
         return compressed_movie(tracks);
       }},
      {"senc-saio-in-moov", Expect::kMove, "saio v0 pointing at senc inside moov itself",
       [] { return aux_movie(0, Aux::kInMoov); }},
      {"senc-saio-in-moov-v1", Expect::kMove, "the same with saio v1",
       [] { return aux_movie(1, Aux::kInMoov); }},
      {"senc-saio-in-mdat", Expect::kMove, "saio v1 pointing into mdat",
       [] { return aux_movie(1, Aux::kInMdat); }},
      {"senc-saio-in-mdat-v0", Expect::kMove, "saio v0 pointing into mdat",
       [] { return aux_movie(0, Aux::kInMdat); }},
      {"saio-per-chunk", Expect::kMove, "saio v0 with one entry for each chunk, half in each mdat",
       [] {
         Track track = fixed_track(1, 8);
         std::vector<Position> offsets;
         Blob halves[2];
         for (std::uint32_t i = 0; i < 8; ++i) {
           const std::string label = "aux" + std::to_string(i);
           halves[i / 4].append(cat(chunk_data(track, i), labelled(label, noise(8, i, 32))));
           offsets.push_back({label});
         }
         track.extra_stbl = cat(saiz(track), saio(0, offsets));
         return cat(ftyp(), box("mdat", halves[0]), moov({track}), box("mdat", halves[1]));
       }},
      {"external-dref", Expect::kMove,
       "a track all of whose chunks an alis reference puts elsewhere",
       [] {
         return external_movie({Kind::kAlis, "/elsewhere/media.mov"});
       }},
      {"external-url-dref", Expect::kMove, "the same by url; FFmpeg takes it for this file",
       [] {
         return external_movie({Kind::kUrl, "file:///elsewhere/media.mov"});
       }},
      {"dref-no-location", Expect::kMove, "url references without the flag and without a location",
       [] { return unnamed_movie({Kind::kUrlOfNothing}); }},
      {"dref-empty-location", Expect::kMove, "the same with an empty location",
       [] {
         return unnamed_movie({Kind::kUrlOfNothing, std::string(1, '\0')});
       }},
      {"dref-urn-no-location", Expect::kMove, "urn references with a name and no location",
       [] { return unnamed_movie({Kind::kUrnOfNothing}); }},
      {"external-all", Expect::kMove, "both tracks by url in other files", all_external_movie},
      {"rsrc-dref", Expect::kMove, "a track in the resource fork, marked self-contained",
       [] {
         return external_movie({Kind::kRsrc, "/elsewhere/media.mov"});
       }},
      {"mixed-dref", Expect::kMove, "one track with some chunks in this file and some elsewhere",
       mixed_movie},
  };
}

}  // namespace shunt::test
