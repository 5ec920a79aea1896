// Where an image layer keeps its table of contents: eStargz and zstd:chunked. Pure functions on
// bytes and annotations, all of which come from strangers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "shunt/base/byte_range.h"

namespace shunt::fetch {

// The last bytes of a layer that find_layer_toc looks at; fewer when the layer is smaller.
inline constexpr std::size_t kLayerTailSize = 72;

// A larger table of contents counts as none: nobody asked for that much in advance. Tools that read
// them stop at 150 MiB of JSON, which is far smaller when compressed.
inline constexpr std::uint64_t kMaxLayerTocSize = std::uint64_t{128} << 20;

// What a lazy reader reads first of a layer of `size` bytes that ends with `tail`: the table of
// contents, for zstd:chunked the tar-split data as well, and the footer. Ascending, apart from each
// other, within the layer; empty when there is no table of contents or it does not hold together.
//
// eStargz: the layer ends in an empty gzip member of 51 bytes (RFC 1952) whose extra field has one
//   subfield, "SG", of 16 hex digits and "STARGZ"; formerly of 47 bytes, the text alone being the
//   extra field. The number is where the table of contents begins, a gzip member that reaches to
//   the footer.
// zstd:chunked: annotations "io.github.containers.zstd-chunked.manifest-position" and
//   "….tarsplit-position" (formerly "io.containers.…"), "offset:length:uncompressed:type" in
//   decimal, tarsplit without a type. Otherwise the layer ends in a skippable zstd frame (RFC 8878,
//   3.1.2) of 64 bytes: seven 64-bit numbers, least significant byte first (offset, length,
//   uncompressed, type of the manifest; offset, length, uncompressed of tar-split) and "GNUlInUx";
//   formerly of 40 bytes, without tar-split and with "GnUlInUx". The type is 1.
[[nodiscard]] std::vector<ByteRange> find_layer_toc(
    std::span<const std::byte> tail, std::uint64_t size,
    const std::map<std::string, std::string>& annotations);

// Whether bytes that begin like this are gzip, zstd (or a skippable frame of it).
[[nodiscard]] bool looks_compressed(std::span<const std::byte> first);
// Whether they are a tar file (POSIX ustar or GNU); takes 262 bytes to see.
[[nodiscard]] bool looks_like_tar(std::span<const std::byte> first);

}  // namespace shunt::fetch
