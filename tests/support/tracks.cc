#include "support/tracks.h"

#include <algorithm>

namespace shunt::test {
namespace {

constexpr std::uint32_t kTimescale = 48000;
constexpr std::uint32_t kSampleDuration = 1024;  // not 1: FFmpeg then reads sample by sample

Blob matrix() {
  Blob out;
  for (const std::uint32_t v : {0x10000U, 0U, 0U, 0U, 0x10000U, 0U, 0U, 0U, 0x40000000U})
    out.u32(v);
  return out;
}

// The fields of a Macintosh alias record that FFmpeg's mov_read_dref looks at; the rest is zero.
Blob alias(const std::string& path) {
  Blob out;
  out.zeros(4)
      .u16(150 + 4 + path.size() + path.size() % 2 + 4)
      .u16(2)
      .u16(0);  // size, version, kind
  out.u8(4).text("disk").zeros(23).zeros(12);
  out.u8(4).text("file").zeros(59).zeros(16);
  out.u16(1).u16(1).zeros(16);
  out.u16(2).u16(path.size()).text(path).zeros(path.size() % 2);  // 2: absolute path
  return out.u16(0xffff).u16(0);
}

Blob data_reference(const DataReference& reference) {
  switch (reference.kind) {
    case DataReference::Kind::kSelf:
      return full_box("url ", 0, 1);
    case DataReference::Kind::kUrl:
      return full_box("url ", 0, 0, Blob().text(reference.path).u8(0));
    case DataReference::Kind::kUrlOfNothing:
      return full_box("url ", 0, 0, Blob().text(reference.path));
    case DataReference::Kind::kUrnOfNothing:
      return full_box("urn ", 0, 0, Blob().text("urn:here").u8(0));
    case DataReference::Kind::kAlis:
      return full_box("alis", 0, 0, alias(reference.path));
    case DataReference::Kind::kRsrc:
      return full_box("rsrc", 0, 1, alias(reference.path));
  }
  return {};
}

Blob dinf(const Track& track) {
  Blob entries;
  for (const DataReference& reference : track.data_references) {
    entries.append(data_reference(reference));
  }
  return box("dinf", full_box("dref", 0, 0, Blob().u32(track.data_references.size()), entries));
}

Blob stsd(const Track& track) {
  Blob entries;
  for (const std::uint16_t reference : track.descriptions) {
    entries.append(box("sowt", Blob().zeros(6).u16(reference).zeros(8).u16(1).u16(16).u32(0).u32(
                                   std::uint64_t{kTimescale} << 16U)));
  }
  return full_box("stsd", 0, 0, Blob().u32(track.descriptions.size()), entries);
}

Blob stsc(const Track& track) {
  Blob entries;
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < track.chunks.size(); ++i) {
    const Chunk& chunk = track.chunks[i];
    if (i > 0 && track.chunks[i - 1].samples == chunk.samples &&
        track.chunks[i - 1].description == chunk.description) {
      continue;
    }
    entries.u32(i + 1).u32(chunk.samples).u32(chunk.description);
    ++count;
  }
  return full_box("stsc", 0, 0, Blob().u32(count), entries);
}

Blob stsz(const Track& track, std::uint32_t samples) {
  Blob table = Blob().u32(track.sample_size).u32(samples);
  if (track.sample_size == 0) {
    for (const std::uint32_t size : track.sample_sizes) table.u32(size);
  }
  return full_box("stsz", 0, 0, table);
}

Blob stbl(const Track& track, const Blob& table, std::uint32_t samples) {
  Blob stts = samples == 0 ? Blob().u32(0) : Blob().u32(1).u32(samples).u32(kSampleDuration);
  return box("stbl", stsd(track), full_box("stts", 0, 0, stts), stsc(track), stsz(track, samples),
             table, track.extra_stbl);
}

std::uint32_t duration(std::uint32_t samples) {
  return samples * kSampleDuration;
}

}  // namespace

std::uint32_t Track::sample_count() const {
  std::uint32_t count = 0;
  for (const Chunk& chunk : chunks) count += chunk.samples;
  return count;
}

std::uint32_t Track::size_of(std::uint32_t sample) const {
  return sample_size != 0 ? sample_size : sample_sizes.at(sample);
}

std::uint32_t Track::first_sample(std::size_t chunk) const {
  std::uint32_t first = 0;
  for (std::size_t i = 0; i < chunk; ++i) first += chunks[i].samples;
  return first;
}

Track fixed_track(std::uint32_t id, std::uint32_t chunks, std::uint32_t samples_per_chunk,
                  std::uint32_t sample_size) {
  Track track{.id = id, .seed = id, .sample_size = sample_size};
  for (std::uint32_t i = 0; i < chunks; ++i) {
    track.chunks.push_back(
        {{"t" + std::to_string(id) + ".c" + std::to_string(i), 0}, samples_per_chunk, 1});
  }
  return track;
}

Track varying_track(std::uint32_t id, std::uint32_t chunks) {
  Track track = fixed_track(id, chunks, 1, 0);
  for (std::uint32_t i = 0; i < chunks; ++i) {
    track.chunks[i].samples = 1 + (i * 7 + id) % 4;
    for (std::uint32_t s = 0; s < track.chunks[i].samples; ++s) {
      track.sample_sizes.push_back(1 + (i * 53 + s * 29 + id * 17) % 200);
    }
  }
  return track;
}

Blob chunk_data(const Track& track, std::size_t chunk) {
  Blob out;
  out.label(track.chunks.at(chunk).at.label);
  const std::uint32_t first = track.first_sample(chunk);
  for (std::uint32_t s = first; s < first + track.chunks[chunk].samples; ++s) {
    out.append(noise(track.seed, s, track.size_of(s)));
  }
  return out;
}

Blob interleave(const std::vector<Track>& tracks, std::size_t from, std::size_t to) {
  std::size_t last = 0;
  for (const Track& track : tracks) last = std::max(last, track.chunks.size());
  Blob out;
  for (std::size_t i = from; i < std::min(last, to); ++i) {
    for (const Track& track : tracks) {
      if (i < track.chunks.size() && !track.chunks[i].at.label.empty()) {
        out.append(chunk_data(track, i));
      }
    }
  }
  return out;
}

Blob chunk_table(const Track& track) {
  const bool wide = track.table == OffsetTable::kCo64;
  Blob entries;
  for (const Chunk& chunk : track.chunks) entries.ref(wide ? 8 : 4, chunk.at);
  return full_box(wide ? "co64" : "stco", 0, 0, Blob().u32(track.chunks.size()), entries);
}

Blob trak(const Track& track) {
  return trak(track, chunk_table(track), track.sample_count());
}

Blob trak(const Track& track, const Blob& table, std::uint32_t samples) {
  const Blob tkhd = full_box(
      "tkhd", 0, 3, Blob().u32(0).u32(0).u32(track.id).u32(0).u32(duration(samples)).zeros(8),
      Blob().u16(0).u16(0).u16(0x100).u16(0), matrix(), Blob().zeros(8));
  const Blob mdhd = full_box(
      "mdhd", 0, 0, Blob().u32(0).u32(0).u32(kTimescale).u32(duration(samples)).u16(0x55c4).u16(0));
  const Blob hdlr = full_box("hdlr", 0, 0, Blob().text("mhlrsoun").zeros(12).u8(0));
  const Blob minf = box("minf", full_box("smhd", 0, 0, Blob().zeros(4)), dinf(track),
                        stbl(track, table, samples));
  return box("trak", tkhd, box("mdia", mdhd, hdlr, minf), track.extra_trak);
}

Blob mvhd(const std::vector<Track>& tracks) {
  std::uint32_t longest = 0;
  std::uint32_t next_id = 1;
  for (const Track& track : tracks) {
    longest = std::max(longest, duration(track.sample_count()));
    next_id = std::max(next_id, track.id + 1);
  }
  return full_box("mvhd", 0, 0, Blob().u32(0).u32(0).u32(kTimescale).u32(longest),
                  Blob().u32(0x10000).u16(0x100).zeros(10), matrix(),
                  Blob().zeros(24).u32(next_id));
}

Blob moov_payload(const std::vector<Track>& tracks, const Blob& extra) {
  Blob out = mvhd(tracks);
  for (const Track& track : tracks) out.append(trak(track));
  return out.append(extra);
}

Blob moov(const std::vector<Track>& tracks, const Blob& extra) {
  return box("moov", moov_payload(tracks, extra));
}

}  // namespace shunt::test
