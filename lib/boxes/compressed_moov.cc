#include "shunt/boxes/compressed_moov.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "shunt/base/big_endian.h"
#include "shunt/boxes/limits.h"
#include "shunt/io/spool.h"

namespace shunt::boxes {
namespace {

constexpr std::size_t kBatch = 64 * 1024;
// Deflate compresses at most about 1,032 to 1; larger claims are rejected without inflating.
constexpr std::uint64_t kMaxRatio = 1100;

class Inflater {
 public:
  Inflater() { ready_ = inflateInit(&stream_) == Z_OK; }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

struct Compressed {
  Box cmvd;
  std::uint32_t size = 0;  // inflated
  ByteRange data;
};

Result<Compressed> find_compressed(io::BufferedReader& reader, const Box& moov) {
  std::optional<Box> cmov;
  for (std::uint64_t at = moov.payload().begin; moov.range.end - at >= 8;) {
    SHUNT_ASSIGN(const Box child, read_box(reader, at, moov.range));
    if (child.type == BoxType("cmov")) cmov = child;
    at = child.range.end;
  }
  if (!cmov) return bad_box(moov, "it contains no compressed movie");
  std::optional<Box> cmvd;
  bool zlib = false;
  for (std::uint64_t at = cmov->payload().begin; cmov->range.end - at >= 8;) {
    SHUNT_ASSIGN(const Box child, read_box(reader, at, cmov->range));
    if (child.type == BoxType("dcom")) {
      SHUNT_ASSIGN(const auto method, view_payload(reader, child, 0, 4));
      zlib = BoxType(load_be<std::uint32_t>(method.data())) == BoxType("zlib");
    }
    if (child.type == BoxType("cmvd")) cmvd = child;
    at = child.range.end;
  }
  if (!cmvd) return bad_box(*cmov, "it contains no compressed data");
  if (!zlib) return bad_box(*cmov, "its compression method is not zlib");
  SHUNT_ASSIGN(const auto head, view_payload(reader, *cmvd, 0, 4));
  Compressed compressed{*cmvd, load_be<std::uint32_t>(head.data()), cmvd->payload()};
  compressed.data.begin += 4;
  return compressed;
}

}  // namespace

Result<io::SourcePtr> inflate_moov(const io::Source& source, const Box& moov) {
  io::BufferedReader reader(source);
  SHUNT_ASSIGN(const Compressed compressed, find_compressed(reader, moov));
  if (compressed.size > kMaxInflatedMoov ||
      compressed.size > compressed.data.size() * kMaxRatio + 64) {
    return bad_box(compressed.cmvd,
                   fmt::format("an inflated size of {} is not supported", compressed.size));
  }
  Inflater inflater;
  if (!inflater.ready()) {
    Error error;
    error.operation = "inflate moov";
    error.reason = "zlib could not start";
    return error;
  }
  z_stream& stream = inflater.stream();
  std::vector<std::byte> in(kBatch);
  std::vector<std::byte> out(kBatch);
  io::Spool spool;
  std::uint64_t at = compressed.data.begin;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    if (stream.avail_in == 0) {
      const std::uint64_t left = compressed.data.end - at;
      if (left == 0) return bad_box(compressed.cmvd, "its compressed data is truncated");
      const auto batch =
          std::span(in).first(static_cast<std::size_t>(std::min<std::uint64_t>(left, kBatch)));
      SHUNT_TRY(io::read_exactly(source, at, batch));
      at += batch.size();
      stream.next_in = reinterpret_cast<Bytef*>(batch.data());
      stream.avail_in = static_cast<uInt>(batch.size());
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      return bad_box(compressed.cmvd, "its compressed data is damaged");
    }
    const std::size_t produced = out.size() - stream.avail_out;
    if (spool.size() + produced > compressed.size) {
      return bad_box(compressed.cmvd, "it inflates to more than its stated size");
    }
    SHUNT_TRY(spool.append(std::span(out).first(produced)));
  }
  if (spool.size() != compressed.size) {
    return bad_box(compressed.cmvd, "it inflates to less than its stated size");
  }
  return spool.finish(source.name());
}

}  // namespace shunt::boxes
