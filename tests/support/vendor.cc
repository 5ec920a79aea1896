#include "support/vendor.h"

#include <zlib.h>

#include <stdexcept>

namespace shunt::test {
namespace {

constexpr std::string_view kC2pa = "d8fec3d6-1b0e-483c-9297-5828877ec481";
constexpr std::string_view kCanon = "85c0b687-820f-11e0-8111-f4ce462b6a48";

// Appends the deflate blocks of `data` to `out`, ending as `flush` says. With Z_FULL_FLUSH nothing
// before refers to what comes after, so such pieces can be repeated.
void raw_deflate(std::span<const std::byte> data, int flush, std::vector<std::byte>& out) {
  z_stream z{};
  if (deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::vector<std::byte> buffer(deflateBound(&z, static_cast<uLong>(data.size())) + 64);
  // zlib's interface lacks const; deflate does not write here.
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data()));
  z.avail_in = static_cast<uInt>(data.size());
  z.next_out = reinterpret_cast<Bytef*>(buffer.data());
  z.avail_out = static_cast<uInt>(buffer.size());
  const int result = deflate(&z, flush);
  const auto produced = static_cast<std::ptrdiff_t>(z.total_out);
  deflateEnd(&z);
  if (result != (flush == Z_FINISH ? Z_STREAM_END : Z_OK)) throw std::runtime_error("deflate");
  out.insert(out.end(), buffer.begin(), buffer.begin() + produced);
}

uLong adler(uLong start, std::span<const std::byte> data) {
  return adler32(start, reinterpret_cast<const Bytef*>(data.data()),
                 static_cast<uInt>(data.size()));
}

void append_be32(std::vector<std::byte>& out, uLong value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}

}  // namespace

Blob gps_table(const std::vector<GpsEntry>& entries) {
  Blob out = Blob().u32(0x101).u32(0);
  for (const GpsEntry& entry : entries) out.ref(4, entry.at).u32(entry.size);
  return box("gps ", out);
}

Blob gps_block(std::string_view label, std::uint32_t seed, std::uint64_t size) {
  return labelled(label, box("free", Blob().text("GPS "), noise(seed, 0x695, size - 12)));
}

Blob canon_uuid(const std::vector<CtboEntry>& entries) {
  Blob table = Blob().u32(entries.size());
  for (const CtboEntry& entry : entries) table.u32(entry.index).ref(8, entry.at).u64(entry.size);
  return uuid_box(kCanon, box("CNCV", Blob().text("CanonCR3_001/00.09.00/00.00.00")),
                  box("CTBO", table));
}

Blob c2pa_manifest(const Position& merkle, std::uint64_t data_size) {
  return uuid_box(kC2pa, Blob().u32(0).text("manifest").u8(0).ref(8, merkle),
                  noise(0xc2aU, 1, data_size));
}

Blob c2pa_merkle(std::uint64_t data_size) {
  return uuid_box(kC2pa, Blob().u32(0).text("merkle").u8(0), noise(0xc2aU, 2, data_size));
}

Blob afra(const std::vector<Position>& offsets) {
  Blob out = Blob().u8(0xc0).u32(48000).u32(offsets.size());  // long ids, long offsets
  std::uint64_t time = 0;
  for (const Position& offset : offsets) {
    out.u64(time).ref(8, offset);
    time += 1024;
  }
  return full_box("afra", 0, 0, out);
}

std::vector<std::byte> deflated(std::span<const std::byte> data) {
  std::vector<std::byte> out = {std::byte{0x78}, std::byte{0xda}};
  raw_deflate(data, Z_FINISH, out);
  append_be32(out, adler(adler32(0, nullptr, 0), data));
  return out;
}

Blob cmov_of(std::uint32_t claimed_size, std::span<const std::byte> compressed) {
  return box("moov", box("cmov", box("dcom", Blob().text("zlib")),
                         box("cmvd", Blob().u32(claimed_size), Blob().bytes(compressed))));
}

Blob compressed_moov(const Blob& moov, const Blob::Labels& known) {
  return cmov_of(static_cast<std::uint32_t>(moov.size()), deflated(moov.to_vector(known)));
}

std::vector<std::byte> deflate_bomb(std::span<const std::byte> start, unsigned zero_mebibytes) {
  const std::vector<std::byte> zeros(1U << 20U);
  std::vector<std::byte> out = {std::byte{0x78}, std::byte{0xda}};
  raw_deflate(start, Z_FULL_FLUSH, out);
  uLong sum = adler(adler32(0, nullptr, 0), start);
  std::vector<std::byte> piece;
  raw_deflate(zeros, Z_FULL_FLUSH, piece);
  const uLong piece_sum = adler(adler32(0, nullptr, 0), zeros);
  for (unsigned i = 0; i < zero_mebibytes; ++i) {
    out.insert(out.end(), piece.begin(), piece.end());
    sum = adler32_combine(sum, piece_sum, static_cast<z_off_t>(zeros.size()));
  }
  raw_deflate({}, Z_FINISH, out);
  append_be32(out, sum);
  return out;
}

}  // namespace shunt::test
