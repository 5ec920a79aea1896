// Item locations (iloc) at every level, movie fragments, vendors' tables.
#include "support/recipes.h"

namespace shunt::test {
namespace {

// An item of `length` bytes at the label `label` plus `addend`, all of it in the extent's offset.
Item item_at(std::uint32_t id, const std::string& label, std::uint64_t length,
             std::uint64_t addend = 0) {
  return {.id = id, .extents = {{.offset = {label, addend}, .length = length}}};
}

Blob item_data(std::uint32_t id) {
  return labelled("item" + std::to_string(id), noise(0x17e3U, id, 300));
}

// Three items in mdat behind the tracks' samples; `compose` puts the parts together.
template <typename Compose>
Blob item_movie(Compose compose) {
  const auto tracks = two_tracks();
  return compose(tracks, box("mdat", interleave(tracks), item_data(1), item_data(2), item_data(3)));
}

Blob iloc_in_moov() {
  return item_movie([](const auto& tracks, const Blob& mdat) {
    ItemLocations where{.version = 1,
                        .items = {item_at(1, "item1", 300), item_at(2, "item2", 300)}};
    where.items[1].base = {"item2"};  // base and offset: 16 bytes into the item
    where.items[1].extents = {{.offset = {{}, 16}, .length = 100}};
    where.items.push_back(
        {.id = 3, .construction_method = 1, .extents = {{.offset = {{}, 4}, .length = 10}}});
    where.items.push_back(
        {.id = 4, .data_reference = 1, .extents = {{.offset = {{}, 1234}, .length = 10}}});
    const Blob elsewhere = full_box("url ", 0, 0, Blob().text("http://elsewhere/").u8(0));
    const Blob dinf = box("dinf", full_box("dref", 0, 0, Blob().u32(1), elsewhere));
    return cat(ftyp(), mdat, moov(tracks, meta(where, cat(dinf, box("idat", noise(1, 1, 20))))));
  });
}

Blob iloc_in_trak() {
  return item_movie([](auto tracks, const Blob& mdat) {
    ItemLocations where{.version = 2,
                        .offset_size = 8,
                        .length_size = 8,
                        .base_offset_size = 8,
                        .index_size = 4,
                        .items = {item_at(1, "item1", 300)}};
    where.items.push_back(
        {.id = 2,
         .base = {"item2"},
         .extents = {{.length = 50},
                     {.offset = {{}, 50}, .length = 50},
                     {.offset = {"item3"}, .length = 300, .relative_to = "item2"}}});
    tracks[0].extra_trak = meta(where);
    return cat(ftyp(), mdat, moov(tracks));
  });
}

Blob iloc_split_base() {
  const auto tracks = two_tracks();
  ItemLocations where{.version = 1};
  where.items.push_back(
      {.id = 1,
       .base = {"item1"},
       .extents = {{.length = 300}, {.offset = {"item2"}, .length = 300, .relative_to = "item1"}}});
  return cat(ftyp(), meta(where), box("mdat", interleave(tracks, 0, 4), item_data(1)), moov(tracks),
             box("mdat", interleave(tracks, 4), item_data(2)));
}

}  // namespace

std::vector<Recipe> item_recipes() {
  return {
      {"iloc-file", Expect::kMove, "meta at file level behind mdat; iloc v0, 4-byte widths, base",
       [] {
         return item_movie([](const auto& tracks, const Blob& mdat) {
           ItemLocations where{.items = {item_at(1, "item1", 300)}};
           where.items.push_back({.id = 2, .base = {"item2"}, .extents = {{.length = 300}}});
           return cat(ftyp(), mdat, meta(where), moov(tracks));
         });
       }},
      {"iloc-file-front", Expect::kMove,
       "meta at file level in front of mdat; pointing at ftyp too",
       [] {
         return item_movie([](const auto& tracks, const Blob& mdat) {
           const ItemLocations where{.items = {item_at(1, "item1", 300), item_at(2, "start", 24)}};
           return cat(labelled("start", ftyp()), meta(where), mdat, moov(tracks));
         });
       }},
      {"iloc-moov", Expect::kMove, "iloc v1 in moov; one item in idat, one in another file",
       iloc_in_moov},
      {"iloc-trak", Expect::kMove, "iloc v2 in trak; 8-byte widths, index, three extents",
       iloc_in_trak},
      {"iloc-meco", Expect::kMove, "meco{meta{iloc}} at file level and in moov",
       [] {
         return item_movie([](const auto& tracks, const Blob& mdat) {
           const Blob meco1 = box("meco", meta({.items = {item_at(1, "item1", 300)}}));
           const Blob meco2 =
               box("meco", meta({.version = 1, .items = {item_at(2, "item2", 300)}}));
           return cat(ftyp(), meco1, mdat, moov(tracks, meco2));
         });
       }},
      {"iloc-narrow", Expect::kMove, "base width 0 with offset width 4; offset width 0 with base 4",
       [] {
         return item_movie([](const auto& tracks, const Blob& mdat) {
           const ItemLocations by_offset{.base_offset_size = 0,
                                         .items = {item_at(1, "item1", 300)}};
           const ItemLocations by_base{
               .version = 1,
               .offset_size = 0,
               .items = {{.id = 2, .base = {"item2"}, .extents = {{.length = 300}}}}};
           return cat(ftyp(), meta(by_offset), mdat, moov(tracks, meta(by_base)));
         });
       }},
      {"iloc-grow", Expect::kMove,
       "both widths 0: an item at address 0, which moves; meta must grow",
       [] {
         return item_movie([](const auto& tracks, const Blob& mdat) {
           const ItemLocations nowhere{.offset_size = 0,
                                       .base_offset_size = 0,
                                       .items = {{.id = 1, .extents = {{.length = mdat.size()}}}}};
           return cat(mdat, ftyp(), moov(tracks, meta(nowhere)));
         });
       }},
      {"iloc-split-base", Expect::kMove,
       "one base with extents on both sides of moov, which move by different distances",
       iloc_split_base},
      {"iloc-in-moov-itself", Expect::kMove, "an item that points into moov",
       [] {
         return item_movie([](const auto& tracks, const Blob& mdat) {
           const ItemLocations where{.items = {item_at(1, "inside", 40)}};
           const Blob data = box("udta", labelled("inside", box("name", noise(2, 2, 32))));
           return cat(ftyp(), mdat, moov(tracks, cat(meta(where), data)));
         });
       }},
  };
}

std::vector<Recipe> vendor_recipes() {
  // Novatek: GPS blocks between the chunks inside mdat.
  const auto gps_movie = [](bool top_level, bool empty_entries) {
    const auto tracks = two_tracks();
    Blob media;
    Blob boxes;
    std::vector<GpsEntry> entries;
    for (std::uint32_t i = 0; i < 4; ++i) {
      const std::string label = "gps" + std::to_string(i);
      media.append(interleave(tracks, 2 * i, 2 * i + 2));
      (top_level ? boxes : media).append(gps_block(label, i, 512));
      entries.push_back({{label}, 512});
      if (empty_entries) entries.push_back({});
    }
    return cat(ftyp("qt  "), box("mdat", media), boxes, moov(tracks, gps_table(entries)));
  };
  return {
      {"gps", Expect::kMove, "Novatek 'gps ' in moov, its blocks inside mdat",
       [=] { return gps_movie(false, false); }},
      {"gps-toplevel", Expect::kMove, "its blocks are top-level free boxes, which must stay",
       [=] { return gps_movie(true, false); }},
      {"gps-front", Expect::kMove,
       "its blocks are free boxes in front of mdat, large enough for moov: no room to be used",
       [] {
         const auto tracks = two_tracks();
         Blob blocks;
         std::vector<GpsEntry> entries;
         for (std::uint32_t i = 0; i < 4; ++i) {
           const std::string label = "gps" + std::to_string(i);
           blocks.append(gps_block(label, i, 512));
           entries.push_back({{label}, 512});
         }
         return cat(ftyp("qt  "), blocks, box("mdat", interleave(tracks)),
                    moov(tracks, gps_table(entries)));
       }},
      {"gps-empty-entries", Expect::kMove, "some entries are 0, 0: not set, to be left alone",
       [=] { return gps_movie(false, true); }},
      {"ctbo", Expect::kMove, "Canon CTBO in moov/uuid, pointing at top-level boxes",
       [] {
         const auto tracks = two_tracks();
         const Blob xmp = uuid_box("be7acfcb-97a9-42e8-9c71-999491e3afac", noise(4, 0, 200));
         const Blob preview = uuid_box("eaf42b5e-1c98-4b88-b9fb-b7dc406e4d16", noise(4, 1, 400));
         const Blob mdat = box("mdat", interleave(tracks));
         const Blob canon = canon_uuid({{1, {"xmp"}, xmp.size()},
                                        {2, {"preview"}, preview.size()},
                                        {3, {"mdat"}, mdat.size()},
                                        {4, {}, 0}});
         return cat(ftyp("crx "), labelled("xmp", xmp), labelled("preview", preview),
                    labelled("mdat", mdat), moov(tracks, canon));
       }},
      {"c2pa", Expect::kMove, "C2PA manifest with a Merkle box behind mdat (a warning is due)",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), c2pa_manifest({"merkle"}), box("mdat", interleave(tracks)),
                    labelled("merkle", c2pa_merkle()), moov(tracks));
       }},
      {"c2pa-no-merkle", Expect::kMove, "C2PA manifest whose merkle_offset is 0: stays 0",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), c2pa_manifest({}), box("mdat", interleave(tracks)), moov(tracks));
       }},
      {"afra", Expect::kRefuse, "Adobe's afra: offsets that shunt does not rewrite",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp("f4v "), afra({{"t1.c0"}, {"t1.c4"}}), box("mdat", interleave(tracks)),
                    moov(tracks));
       }},
  };
}

}  // namespace shunt::test
