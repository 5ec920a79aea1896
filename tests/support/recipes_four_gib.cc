// Sparse files around 4 GiB, where 32-bit fields run out, and an index larger than memory should
// hold.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "support/recipes.h"

namespace shunt::test {
namespace {

constexpr std::uint64_t kFourGib = std::uint64_t{1} << 32U;

struct Placed {
  std::uint64_t address;  // in the file
  Blob data;
};

// An mdat with a 64-bit size that begins at `start`, has each piece at its address (ascending),
// holes between them, and ends at `end`.
Blob sparse_mdat(std::uint64_t start, const std::vector<Placed>& pieces, std::uint64_t end) {
  Blob payload;
  for (const Placed& piece : pieces) {
    payload.hole(piece.address - (start + 16 + payload.size())).append(piece.data);
  }
  payload.hole(end - (start + 16 + payload.size()));
  return box64("mdat", payload);
}

// mdat ends at 4 GiB and `tail` lies right in front of its end.
Blob media_up_to_4g(const Blob& head, const Blob& low, const Blob& tail) {
  const std::uint64_t start = head.size();
  return sparse_mdat(start, {{start + 16, low}, {kFourGib - tail.size(), tail}}, kFourGib);
}

Blob cross_one() {
  const auto tracks = two_tracks();
  Blob tail;
  for (std::size_t i = 4; i < 8; ++i) tail.append(chunk_data(tracks[0], i));
  const Blob low = cat(interleave({tracks[0]}, 0, 4), interleave({tracks[1]}));
  return cat(ftyp(), media_up_to_4g(ftyp(), low, tail), moov(tracks));
}

// Track k crosses 4 GiB only when the tables of all tracks in front of it have grown.
Blob cascade(const std::vector<std::uint32_t>& chunk_counts) {
  std::vector<Track> tracks;
  Blob low;
  for (const std::uint32_t count : chunk_counts) {
    const auto id = static_cast<std::uint32_t>(tracks.size() + 1);
    const std::string name = "t" + std::to_string(id);
    Track track{.id = id, .seed = id, .sample_size = 4};
    low.label(name + ".low");
    for (std::uint32_t i = 0; i + 1 < count; ++i) {
      track.chunks.push_back({{name + ".low", std::uint64_t{i} * 4}});
      low.append(noise(track.seed, i, 4));
    }
    track.chunks.push_back({{name + ".top"}});
    tracks.push_back(track);
  }
  const Blob index = moov(tracks);
  // The first crosses with the plain shift; each later one needs half of its forerunner's growth,
  // so that rounding the shift up to a block changes nothing.
  std::vector<Placed> pieces;
  std::uint64_t growth = 0;
  for (std::size_t k = 0; k < tracks.size(); ++k) {
    const std::uint64_t previous = k == 0 ? 0 : std::uint64_t{chunk_counts[k - 1]} * 4;
    const std::uint64_t at =
        k == 0 ? kFourGib - 64 : kFourGib - index.size() - growth - previous / 2;
    const Track& track = tracks[k];
    const Blob data = noise(track.seed, chunk_counts[k] - 1, 4);
    pieces.push_back({at, labelled("t" + std::to_string(track.id) + ".top", data)});
    growth += previous;
  }
  pieces.push_back({ftyp().size() + 16, low});
  std::reverse(pieces.begin(), pieces.end());
  return cat(ftyp(), sparse_mdat(ftyp().size(), pieces, kFourGib), index);
}

// An item right in front of 4 GiB.
Blob grow_iloc(bool in_moov, bool by_base) {
  const auto tracks = two_tracks();
  Item item{.id = 1, .extents = {{.offset = {"item"}, .length = 100}}};
  if (by_base) item = {.id = 1, .base = {"item"}, .extents = {{.length = 100}}};
  const Blob index = meta({.version = 1,
                           .offset_size = by_base ? 0 : 4,
                           .base_offset_size = by_base ? 4 : 0,
                           .items = {item}});
  const Blob head = in_moov ? ftyp() : cat(ftyp(), index);
  const Blob tail = labelled("item", noise(0x17e3U, 1, 100));
  return cat(head, media_up_to_4g(head, interleave(tracks), tail),
             in_moov ? moov(tracks, index) : moov(tracks));
}

Blob grow_saio() {
  auto tracks = two_tracks();
  tracks[0].extra_stbl = cat(saiz(tracks[0]), saio(0, {{"aux1"}}));
  const Blob tail = sample_aux_data(tracks[0], "aux1");
  return cat(ftyp(), media_up_to_4g(ftyp(), interleave(tracks), tail), moov(tracks));
}

Blob grow_tfra() {
  const auto tracks = two_tracks();
  const Fragment fragment{.seed = 1,
                          .first_sample = tracks[0].sample_count(),
                          .decode_time = std::uint64_t{tracks[0].sample_count()} * 1024,
                          .sample_sizes = {50, 60}};
  const Blob segments = segment(fragment);
  const std::uint64_t start = ftyp().size();
  const Blob mdat =
      sparse_mdat(start, {{start + 16, interleave(tracks)}}, kFourGib - segments.size());
  return cat(ftyp(), mdat, segments, moov(tracks, mvex({1, 2})), mfra(tfra(0, 1, {fragment})));
}

}  // namespace

std::vector<Recipe> four_gib_recipes() {
  return {
      {"sparse-5g", Expect::kMove, "5 GiB, co64, chunks on both sides of 4 GiB",
       [] {
         auto tracks = two_tracks();
         for (Track& track : tracks) track.table = OffsetTable::kCo64;
         const std::uint64_t start = ftyp().size();
         const Blob mdat = sparse_mdat(start,
                                       {{start + 16, interleave(tracks, 0, 4)},
                                        {5U * (kFourGib / 4) - 8192, interleave(tracks, 4)}},
                                       5U * (kFourGib / 4));
         return cat(ftyp(), mdat, moov(tracks));
       }},
      {"cross-4g-one", Expect::kMove, "one track's chunks cross 4 GiB: its stco becomes co64",
       cross_one},
      {"cross-4g-cascade", Expect::kMove, "the first track's growth pushes the second over 4 GiB",
       [] {
         return cascade({50'000, 30'000});
       }},
      {"cross-4g-cascade3", Expect::kMove, "the second's growth pushes a third over: a third pass",
       [] {
         return cascade({50'000, 30'000, 20'000});
       }},
      {"iloc-grow-4g", Expect::kMove, "iloc in moov whose 4-byte offset must become 8 bytes",
       [] { return grow_iloc(true, false); }},
      {"iloc-grow-4g-file", Expect::kMove, "the same in a meta at file level, in front of mdat",
       [] { return grow_iloc(false, false); }},
      {"iloc-grow-4g-base", Expect::kMove, "in moov, with the address in a 4-byte base",
       [] { return grow_iloc(true, true); }},
      {"saio-grow-4g", Expect::kMove, "saio v0 that must become v1", grow_saio},
      {"tfra-grow-4g", Expect::kRefuse, "tfra v0 whose moof crosses 4 GiB: its field cannot grow",
       grow_tfra},
      {"gps-4g", Expect::kRefuse, "a Novatek block crosses 4 GiB: its field cannot grow",
       [] {
         const auto tracks = two_tracks();
         return cat(ftyp(), media_up_to_4g(ftyp(), interleave(tracks), gps_block("gps0", 0, 64)),
                    moov(tracks, gps_table({{{"gps0"}, 64}})));
       }},
  };
}

void write_huge_moov(const std::string& path, std::uint64_t mebibytes) {
  constexpr std::uint64_t kStride = 512;  // between the chunks of the co64 track
  const std::uint64_t half = mebibytes * (1U << 19U);
  const auto wide = static_cast<std::uint32_t>(half / 8);
  const auto narrow = static_cast<std::uint32_t>(half / 4);
  const auto table = [](const char* type, int width, std::uint32_t count) {
    return full_box(
        type, 0, 0,
        Blob().u32(count).label(type).hole(std::uint64_t{count} * static_cast<unsigned>(width)));
  };
  Track track{.id = 1, .seed = 1, .sample_size = 2};
  track.chunks = {{}};  // makes the stsc: one sample in each chunk
  const Blob first = trak(track, table("stco", 4, narrow), narrow);
  track.id = track.seed = 2;
  const Blob second = trak(track, table("co64", 8, wide), wide);

  const std::uint64_t narrow_start = ftyp().size() + 16;
  const std::uint64_t wide_start = narrow_start + std::uint64_t{narrow} * 2;
  const std::uint64_t end = wide_start + std::uint64_t{wide} * kStride;
  const Blob file = cat(ftyp(),
                        sparse_mdat(ftyp().size(),
                                    {{narrow_start, noise(1, 0, 2)},
                                     {wide_start - 2, noise(1, narrow - 1, 2)},
                                     {wide_start, noise(2, 0, 2)},
                                     {end - kStride, noise(2, wide - 1, 2)}},
                                    end),
                        box("moov", mvhd({}), first, second));
  file.write_file(path);

  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const auto fill = [&](const char* type, int width, std::uint32_t count, std::uint64_t start,
                        std::uint64_t stride) {
    auto at = static_cast<off_t>(file.labels().at(type));
    constexpr std::uint32_t kBatch = 1U << 16U;
    for (std::uint32_t i = 0; i < count; i += kBatch) {
      Blob entries;
      for (std::uint32_t j = i; j < std::min(count, i + kBatch); ++j) {
        entries.uint(width, start + j * stride);
      }
      const auto bytes = entries.to_vector();
      const auto size = static_cast<ssize_t>(bytes.size());
      if (fd < 0 || ::pwrite(fd, bytes.data(), bytes.size(), at) != size) {
        throw std::system_error(errno, std::generic_category(), path);
      }
      at += size;
    }
  };
  fill("stco", 4, narrow, narrow_start, 2);
  fill("co64", 8, wide, wide_start, kStride);
  ::close(fd);
}

}  // namespace shunt::test
