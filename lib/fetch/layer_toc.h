// Finds the table of contents of an image layer: eStargz and zstd:chunked. Pure functions on
// untrusted bytes and annotations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "shunt/base/byte_range.h"

namespace shunt::fetch {

// The number of bytes at the end of a layer that find_layer_toc needs; fewer if the layer is
// smaller.
inline constexpr std::size_t kLayerTailSize = 72;

// A larger table of contents counts as none. Readers stop at 150 MiB of JSON, which is much smaller
// when compressed.
inline constexpr std::uint64_t kMaxLayerTocSize = std::uint64_t{128} << 20;

// Returns what a lazy reader reads first of a layer of `size` bytes that ends with `tail`: the
// table of contents, for zstd:chunked also the tar-split data, and the footer. Ascending, disjoint,
// within the layer; empty if there is no valid table of contents.
//
// eStargz: the layer ends with an empty gzip member of 51 bytes (RFC 1952). Its extra field has one
//   subfield, "SG": 16 hex digits and "STARGZ". Older form: 47 bytes, with this text as the whole
//   extra field. The number is the offset of the table of contents, a gzip member that ends at the
//   footer.
// zstd:chunked: annotations "io.github.containers.zstd-chunked.manifest-position" and
//   "….tarsplit-position" (older: "io.containers.…") are "offset:length:uncompressed:type" in
//   decimal, for tarsplit without a type. Without annotations, the layer ends with a skippable zstd
//   frame (RFC 8878, 3.1.2) of 64 bytes: seven little-endian 64-bit numbers (offset, length,
//   uncompressed, type of the manifest; offset, length, uncompressed of tar-split) and "GNUlInUx".
//   Older form: 40 bytes, without tar-split and with "GnUlInUx". The type is 1.
[[nodiscard]] std::vector<ByteRange> find_layer_toc(
    std::span<const std::byte> tail, std::uint64_t size,
    const std::map<std::string, std::string>& annotations);

// Returns true if the bytes begin like gzip, or zstd including its skippable frames.
[[nodiscard]] bool looks_compressed(std::span<const std::byte> first);
// Returns true if the bytes begin like a tar file (POSIX ustar or GNU); needs 262 bytes.
[[nodiscard]] bool looks_like_tar(std::span<const std::byte> first);

}  // namespace shunt::fetch
