// Tracks and moov: what FFmpeg's mov demuxer needs to read packets from, and no more.
//
// A track is 'sowt' PCM audio; every sample becomes one packet. The bytes of sample number n
// (counted from 0 in the track) are noise(track.seed, n, its size), wherever they lie.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/boxes.h"

namespace shunt::test {

enum class OffsetTable { kStco, kCo64 };

struct DataReference {
  enum class Kind {
    kSelf,          // 'url ' with flag 1: in this file
    kUrl,           // 'url ' naming `path`
    kAlis,          // a Macintosh alias naming `path`, in the form FFmpeg reads
    kUrlOfNothing,  // 'url ' without the flag, naming `path`: which may be empty or without its end
    kUrnOfNothing,  // 'urn ' with a name, without the flag and without a location
    kRsrc,          // the file's resource fork; flag 1, although it is not in this fork
  };
  Kind kind = Kind::kSelf;
  std::string path = {};
};

struct Chunk {
  Position at;  // with an empty label: a fixed number, as for chunks of external files
  std::uint32_t samples = 1;
  std::uint32_t description = 1;  // sample description (stsd entry), counted from 1
};

struct Track {
  std::uint32_t id = 1;
  std::uint32_t seed = 1;
  std::uint32_t sample_size = 0;                 // of every sample; 0: see sample_sizes
  std::vector<std::uint32_t> sample_sizes = {};  // one per sample, when sample_size is 0
  std::vector<Chunk> chunks = {};
  OffsetTable table = OffsetTable::kStco;
  std::vector<DataReference> data_references = {{}};
  std::vector<std::uint16_t> descriptions = {1};  // the data reference (from 1) of each stsd entry
  Blob extra_stbl = {};                           // boxes to add at the end of stbl
  Blob extra_trak = {};                           // boxes to add at the end of trak

  [[nodiscard]] std::uint32_t sample_count() const;
  [[nodiscard]] std::uint32_t size_of(std::uint32_t sample) const;
  [[nodiscard]] std::uint32_t first_sample(std::size_t chunk) const;
};

// A track of `chunks` chunks at the labels "t<id>.c<n>" (n from 0), seeded with its id.
[[nodiscard]] Track fixed_track(std::uint32_t id, std::uint32_t chunks,
                                std::uint32_t samples_per_chunk = 4,
                                std::uint32_t sample_size = 64);
// The same with sample sizes that differ, 1 to 200 bytes, and chunks of 1 to 4 samples.
[[nodiscard]] Track varying_track(std::uint32_t id, std::uint32_t chunks);

// The bytes of a chunk, with its label on the first of them.
[[nodiscard]] Blob chunk_data(const Track& track, std::size_t chunk);
// The first chunk of each track, then the second of each, and so on; chunks `from` up to `to`.
// Chunks without a label (external) are left out.
[[nodiscard]] Blob interleave(const std::vector<Track>& tracks, std::size_t from = 0,
                              std::size_t to = SIZE_MAX);

[[nodiscard]] Blob chunk_table(const Track& track);  // the stco or co64 box
[[nodiscard]] Blob trak(const Track& track);
// With a chunk table and a number of samples other than those of track.chunks: for huge tables.
[[nodiscard]] Blob trak(const Track& track, const Blob& table, std::uint32_t samples);
[[nodiscard]] Blob mvhd(const std::vector<Track>& tracks);
// mvhd, the tracks, then `extra`; without and with the box header around it.
[[nodiscard]] Blob moov_payload(const std::vector<Track>& tracks, const Blob& extra = {});
[[nodiscard]] Blob moov(const std::vector<Track>& tracks, const Blob& extra = {});

}  // namespace shunt::test
