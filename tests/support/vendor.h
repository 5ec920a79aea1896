// Vendors' tables of absolute offsets, and moov in QuickTime's compressed form.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "support/boxes.h"

namespace shunt::test {

// Novatek dash cameras: `gps ` in moov lists the `free` blocks that hold GPS records.
struct GpsEntry {
  Position at = {};
  std::uint32_t size = 0;
};
[[nodiscard]] Blob gps_table(const std::vector<GpsEntry>& entries);
// A `free` box of `size` bytes beginning with "GPS ", labelled `label`.
[[nodiscard]] Blob gps_block(std::string_view label, std::uint32_t seed, std::uint64_t size);

// Canon: uuid{CTBO} for moov. Entries point at top-level boxes.
struct CtboEntry {
  std::uint32_t index = 1;
  Position at = {};
  std::uint64_t size = 0;
};
[[nodiscard]] Blob canon_uuid(const std::vector<CtboEntry>& entries);

// C2PA (content credentials): a manifest store; `merkle` is where the first Merkle box is, or 0.
[[nodiscard]] Blob c2pa_manifest(const Position& merkle, std::uint64_t data_size = 500);
[[nodiscard]] Blob c2pa_merkle(std::uint64_t data_size = 100);

// Adobe's random access table: global entries of time and absolute offset.
[[nodiscard]] Blob afra(const std::vector<Position>& offsets);

// zlib (RFC 1950) of `data`.
[[nodiscard]] std::vector<std::byte> deflated(std::span<const std::byte> data);
// moov{cmov{dcom, cmvd}} of `moov`, a whole moov box. Its references are resolved with `known`,
// which needs the addresses of all that lies in front of it: cat(ftyp(), mdat).labels().
[[nodiscard]] Blob compressed_moov(const Blob& moov, const Blob::Labels& known);
// The same around bytes and a claim about their inflated size that need not be true.
[[nodiscard]] Blob cmov_of(std::uint32_t claimed_size, std::span<const std::byte> compressed);
// zlib data that begins with `start` and goes on with `zero_mebibytes` of zeros.
[[nodiscard]] std::vector<std::byte> deflate_bomb(std::span<const std::byte> start,
                                                  unsigned zero_mebibytes);

}  // namespace shunt::test
