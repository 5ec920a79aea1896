// Movie fragments beside an ordinary movie, and on their own.
#include "support/recipes.h"

namespace shunt::test {
namespace {

// Three fragments that go on where two_tracks()[0] ends.
std::vector<Fragment> three_fragments() {
  const Track track = two_tracks()[0];
  std::vector<Fragment> fragments;
  std::uint32_t sample = track.sample_count();
  for (std::uint32_t n = 1; n <= 3; ++n) {
    Fragment fragment{.sequence = n,
                      .track_id = track.id,
                      .seed = track.seed,
                      .first_sample = sample,
                      .decode_time = std::uint64_t{sample} * 1024,
                      .sample_sizes = {100 + n, 64, 33, 7}};
    sample += 4;
    fragments.push_back(fragment);
  }
  return fragments;
}

Blob segments(const std::vector<Fragment>& fragments) {
  Blob out;
  for (const Fragment& fragment : fragments) out.append(segment(fragment));
  return out;
}

}  // namespace

std::vector<Recipe> fragment_recipes() {
  return {
      {"tfhd-base", Expect::kMove,
       "mdat, then moofs with absolute bases, then moov, then mfra: moof before moov",
       [] {
         const auto tracks = two_tracks();
         auto fragments = three_fragments();
         fragments[1].with_saio = true;     // relative to the base
         fragments[2].base = {"frag3", 0};  // the base is the data itself
         return cat(ftyp(), box("mdat", interleave(tracks)), segments(fragments),
                    moov(tracks, mvex({1, 2})), mfra(tfra(1, 1, fragments)));
       }},
      {"tfhd-base-after", Expect::kMove, "mdat, moov, moofs with absolute bases, mfra with v0 tfra",
       [] {
         const auto tracks = two_tracks();
         const auto fragments = three_fragments();
         return cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks, mvex({1, 2})),
                    segments(fragments), mfra(tfra(0, 1, fragments)));
       }},
      {"sidx-first", Expect::kMove,
       "sidx, moofs with relative bases, mdat, moov: nothing may come between sidx and moof",
       [] {
         const auto tracks = two_tracks();
         auto fragments = three_fragments();
         for (Fragment& fragment : fragments) fragment.absolute_base = false;
         return cat(ftyp(), sidx(0, fragments), segments(fragments),
                    box("mdat", interleave(tracks)), moov(tracks, mvex({1, 2})),
                    mfra(tfra(0, 1, fragments)));
       }},
      {"sidx-after-moov", Expect::kMove, "mdat, moov, sidx, moofs with relative bases",
       [] {
         const auto tracks = two_tracks();
         auto fragments = three_fragments();
         for (Fragment& fragment : fragments) {
           fragment.absolute_base = false;
           fragment.with_saio = true;
         }
         return cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks, mvex({1, 2})),
                    sidx(1, fragments), segments(fragments), mfra(tfra(1, 1, fragments)));
       }},
      {"moof-before-moov", Expect::kMove, "moofs with samples in boxes junk, then moov, no mdat",
       [] {
         auto fragments = three_fragments();
         Blob media;
         for (Fragment& fragment : fragments) {
           media.append(cat(moof(fragment), box("junk", fragment_data(fragment))));
         }
         return cat(ftyp(), media, moov({fixed_track(1, 0)}, mvex({1})));
       }},
      {"fragmented", Expect::kAlready, "ftyp, moov without samples, moofs, mfra",
       [] {
         const auto fragments = three_fragments();
         return cat(ftyp(), moov({fixed_track(1, 0)}, mvex({1})), segments(fragments),
                    mfra(tfra(1, 1, fragments)));
       }},
  };
}

}  // namespace shunt::test
