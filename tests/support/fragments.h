// Movie fragments: moof with absolute and relative bases, mfra, sidx.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/boxes.h"
#include "support/tracks.h"

namespace shunt::test {

// A run of samples of one track. Their bytes are those of noise(seed, n, size), with n counted on
// from `first_sample`; they lie at the label "frag<sequence>", the moof at "moof<sequence>".
struct Fragment {
  std::uint32_t sequence = 1;
  std::uint32_t track_id = 1;
  std::uint32_t seed = 1;
  std::uint32_t first_sample = 0;
  std::uint64_t decode_time = 0;  // of the first sample, in the track's timescale
  std::vector<std::uint32_t> sample_sizes = {};
  bool absolute_base = true;  // tfhd.base_data_offset; otherwise default-base-is-moof
  // What the absolute base is; empty: the moof itself. trun.data_offset is relative to it.
  Position base = {};
  bool with_saio = false;  // traf gets senc, saiz and a saio, relative to the base
};

[[nodiscard]] Blob moof(const Fragment& fragment);
[[nodiscard]] Blob fragment_data(const Fragment& fragment);  // the payload of its mdat
// moof and mdat, with the labels "seg<sequence>" before and "seg<sequence>.end" after them.
[[nodiscard]] Blob segment(const Fragment& fragment);

[[nodiscard]] Blob mvex(const std::vector<std::uint32_t>& track_ids);
// One tfra per track: version 0 has 32-bit, version 1 has 64-bit fields.
[[nodiscard]] Blob tfra(unsigned version, std::uint32_t track_id,
                        const std::vector<Fragment>& fragments);
[[nodiscard]] Blob mfra(const Blob& tfras);  // appends the mfro
// References to the segments of `fragments`, which must follow the sidx directly.
[[nodiscard]] Blob sidx(unsigned version, const std::vector<Fragment>& fragments);

}  // namespace shunt::test
