// Order and form of the top-level boxes; what lies behind them; room kept in front of them.
#include "support/recipes.h"

namespace shunt::test {
namespace {

// ftyp, mdat, moov, then `end`.
Blob with_trailer(const Blob& end) {
  const auto tracks = two_tracks();
  return cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks), end);
}

// ftyp, `room` (made from moov's size), mdat, moov.
template <typename Room>
Blob with_room(Room room) {
  const auto tracks = two_tracks();
  const Blob index = moov(tracks);
  return cat(ftyp(), room(index.size()), box("mdat", interleave(tracks)), index);
}

}  // namespace

std::vector<Recipe> top_level_recipes() {
  const auto plain = [] { return with_trailer({}); };
  return {
      {"plain", Expect::kMove, "ftyp, mdat, moov; two tracks with stco", plain},
      {"already-front", Expect::kAlready, "ftyp, moov, mdat",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), moov(tracks), box("mdat", interleave(tracks)));
       }},
      {"already-front-free", Expect::kAlready, "ftyp, free, moov, free, mdat, then uuid",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), free_box(100), moov(tracks), free_box(3000),
                    box("mdat", interleave(tracks)), uuid_box("00112233445566778899aabbccddeeff"));
       }},
      {"moov-between-mdats", Expect::kMove, "mdat, moov, mdat: chunks move by different distances",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), box("mdat", interleave(tracks, 0, 4)), moov(tracks),
                    box("mdat", interleave(tracks, 4)));
       }},
      {"several-mdats", Expect::kMove, "three mdats with wide, skip and free between them",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp("qt  "), box("wide"), box("mdat", interleave(tracks, 0, 3)),
                    free_box(40, "skip"), box("mdat", interleave(tracks, 3, 5)), free_box(8),
                    box("mdat", interleave(tracks, 5)), moov(tracks));
       }},
      {"mdat64", Expect::kMove, "mdat with a 64-bit size although it is small",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), box64("mdat", interleave(tracks)), moov(tracks));
       }},
      {"moov64", Expect::kMove, "moov with a 64-bit size although it is small",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), box("mdat", interleave(tracks)), box64("moov", moov_payload(tracks)));
       }},
      {"mdat-size0-last", Expect::kMove, "mdat, moov, and a last mdat of size 0 (to the end)",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), box("mdat", interleave(tracks, 0, 4)), moov(tracks),
                    box_to_end("mdat", interleave(tracks, 4)));
       }},
      {"moov-size0", Expect::kMove, "moov last with size 0: cannot stay 0 in front",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), box("mdat", interleave(tracks)),
                    box_to_end("moov", moov_payload(tracks)));
       }},
      {"mdat-before-ftyp", Expect::kMove, "mdat, ftyp, moov",
       [] {
         const auto tracks = two_tracks();
         return cat(box("mdat", interleave(tracks)), ftyp(), moov(tracks));
       }},
      {"no-ftyp-wide", Expect::kMove, "wide, mdat, moov: old QuickTime",
       [] {
         const auto tracks = two_tracks();
         return cat(box("wide"), box("mdat", interleave(tracks)), moov(tracks));
       }},
      {"pnot-pict", Expect::kMove, "pnot, PICT, mdat, moov: old QuickTime with a preview",
       [] {
         const auto tracks = two_tracks();
         return cat(box("pnot", Blob().u32(0xb0000000).u16(0).text("PICT").u16(1)),
                    box("PICT", noise(9, 9, 700)), box("mdat", interleave(tracks)), moov(tracks));
       }},
      {"many-boxes", Expect::kMove,
       "uuid, free, udta, meta and unknown boxes on both sides of mdat",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), uuid_box("0123456789abcdef0123456789abcdef", noise(3, 1, 77)),
                    box("udta", box("name", Blob().text("front"))), free_box(24),
                    box("zzzz", noise(3, 2, 5)), box("mdat", interleave(tracks)), free_box(16),
                    box("yyyy", noise(3, 3, 9)), moov(tracks), meta({}), free_box(8),
                    box("xxxx", noise(3, 4, 1)));
       }},
      {"empty-mdat", Expect::kMove, "an mdat of 8 bytes and a track without samples",
       [] { return cat(ftyp(), box("mdat"), moov({fixed_track(1, 0)})); }},
      {"tiny", Expect::kMove, "no ftyp, one sample of four bytes",
       [] {
         const std::vector<Track> tracks = {fixed_track(1, 1, 1, 4)};
         return cat(box("mdat", interleave(tracks)), moov(tracks));
       }},
      {"media-in-unknown-box", Expect::kMove, "samples in a box junk in front of moov, no mdat",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), box("junk", interleave(tracks)), moov(tracks));
       }},
      {"media-in-free", Expect::kMove, "samples in a free box in front of moov, others behind it",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), box("free", interleave(tracks, 0, 4)), moov(tracks),
                    box("mdat", interleave(tracks, 4)));
       }},
      {"junk-before-moov", Expect::kAlready, "a box junk in front of moov that nothing points at",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), box("junk", noise(4, 9, 500)), moov(tracks),
                    box("mdat", interleave(tracks)));
       }},
      {"two-moov", Expect::kRefuse, "two moovs: which one counts?",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks), moov({tracks[0]}));
       }},
      {"no-moov", Expect::kRefuse, "ftyp and mdat only: an interrupted recording",
       [] { return cat(ftyp(), box("mdat", interleave(two_tracks()))); }},
  };
}

std::vector<Recipe> trailer_recipes() {
  return {
      {"trailing-free", Expect::kMove, "free behind moov",
       [] { return with_trailer(free_box(1000)); }},
      {"trailing-uuid", Expect::kMove, "uuid behind moov",
       [] { return with_trailer(uuid_box("be7acfcb97a942e89c71999491e3afac", noise(5, 0, 999))); }},
      {"trailing-udta", Expect::kMove, "udta, meta and uuid behind moov",
       [] {
         return with_trailer(cat(box("udta", box("name", Blob().text("late"))), meta({}),
                                 uuid_box("be7acfcb97a942e89c71999491e3afac", noise(5, 1, 9))));
       }},
      {"trailing-sefd", Expect::kMove, "Samsung's sefd: positions relative to the end of the file",
       [] {
         const Blob data = cat(Blob().zeros(2).text("\x30\x08").u32(0x0e000000), noise(5, 2, 60));
         const Blob head = cat(Blob().text("SEFH").u32(0x6b000000).u32(0x01000000).zeros(2),
                               Blob().text("\x30\x08").u32(0x44000000).u32(0x44000000));
         return with_trailer(box("sefd", data, head, Blob().u32(0x18000000).text("SEFT")));
       }},
      {"trailing-mpvd", Expect::kMove, "a motion photo's mpvd holding a whole MP4",
       [] {
         const Track inner{.id = 1, .sample_size = 10};
         return with_trailer(box("mpvd", ftyp(), box("mdat", noise(5, 3, 80)), moov({inner})));
       }},
      {"raw-trailer", Expect::kMove, "bytes that are no box: Insta360's, with its magic at the end",
       [] {
         return with_trailer(cat(Blob().text("\xff\xfe\xfd\xfcnobox"), noise(6, 0, 4000),
                                 Blob().text("8db42d694ccc418790edff439fe026bf")));
       }},
      {"raw-trailer-riff", Expect::kMove, "a RIFF at the end: a box of 1.3 GB by its first bytes",
       [] { return with_trailer(Blob().text("RIFF").u32(0x14000000).text("AVI idx1").zeros(12)); }},
      {"raw-trailer-short", Expect::kMove, "five bytes: shorter than a box header",
       [] { return with_trailer(Blob().text("tail!")); }},
      {"raw-trailer-zeros", Expect::kMove, "zeros: size 0 and type 0, no box to the end",
       [] { return with_trailer(Blob().zeros(1500)); }},
      {"raw-trailer-after-boxes", Expect::kMove, "uuid, free, then bytes that are no box",
       [] {
         return with_trailer(cat(uuid_box("be7acfcb97a942e89c71999491e3afac", noise(6, 1, 50)),
                                 free_box(32), Blob().text("LIGOGPSINFO\0"), noise(6, 2, 301)));
       }},
  };
}

std::vector<Recipe> reserve_recipes() {
  const auto free_of = [](std::uint64_t more) {
    return [more] { return with_room([more](std::uint64_t n) { return free_box(n + more); }); };
  };
  return {
      {"reserve-exact", Expect::kMove, "free in front exactly as large as moov", free_of(0)},
      {"reserve-roomy", Expect::kMove, "free 4096 bytes larger than moov", free_of(4096)},
      {"reserve-8-left", Expect::kMove, "free 8 bytes larger: the smallest box is left",
       free_of(8)},
      {"reserve-4-left", Expect::kMove, "free 4 bytes larger: no box fits what is left",
       free_of(4)},
      {"reserve-short", Expect::kMove, "free 8 bytes too small",
       [] { return with_room([](std::uint64_t n) { return free_box(n - 8); }); }},
      {"reserve-dirty", Expect::kMove, "free large enough but with content",
       [] { return with_room([](std::uint64_t n) { return box("free", noise(7, 0, n + 504)); }); }},
      {"free-split", Expect::kMove, "two adjacent frees that are large enough together",
       [] {
         return with_room(
             [](std::uint64_t n) { return cat(free_box(n - 200), free_box(200, "skip")); });
       }},
      {"free-apart", Expect::kMove, "two frees, large enough together, with a uuid between them",
       [] {
         return with_room([](std::uint64_t n) {
           return cat(free_box(n / 2 + 8), uuid_box("be7acfcb97a942e89c71999491e3afac"),
                      free_box(n / 2 + 8));
         });
       }},
  };
}

}  // namespace shunt::test
