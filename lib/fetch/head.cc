#include "shunt/fetch/head.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/log.h"
#include "shunt/fetch/layer_toc.h"
#include "shunt/media/module_loader.h"
#include "shunt/media/play_head.h"
#include "shunt/mp4/file_map.h"

namespace shunt::fetch {
namespace {

constexpr std::uint64_t kFirstOfAnything = std::uint64_t{1} << 20;
constexpr std::uint64_t kFirstOfMedia = std::uint64_t{64} << 10;
// As for packets: a larger moov is not read as part of a head.
constexpr std::uint64_t kMostOfMoov = std::uint64_t{512} << 20;
constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;

// Reads all of `range` and discards it.
Result<void> read_range(const io::Source& source, ByteRange range, const CancelToken* cancel) {
  std::vector<std::byte> piece(static_cast<std::size_t>(std::min(kPiece, range.size())));
  while (!range.empty()) {
    SHUNT_TRY(check_cancel(cancel));
    const std::uint64_t amount = std::min<std::uint64_t>(piece.size(), range.size());
    SHUNT_TRY(io::read_exactly(source, range.begin,
                               std::span(piece).first(static_cast<std::size_t>(amount))));
    range.begin += amount;
  }
  return {};
}

Result<void> read_first(const io::Source& source, std::uint64_t size, const CancelToken* cancel) {
  return read_range(source, {0, std::min(size, source.size())}, cancel);
}

// Reads enough to recognise archives.
Result<std::vector<std::byte>> read_magic(const io::Source& source) {
  std::vector<std::byte> magic(
      static_cast<std::size_t>(std::min<std::uint64_t>(512, source.size())));
  SHUNT_TRY(io::read_exactly(source, 0, magic));
  return magic;
}

// Returns false if there is no table of contents.
Result<bool> read_layer_toc(const source::Opened& opened, const CancelToken* cancel) {
  const std::uint64_t size = opened.source->size();
  std::vector<std::byte> tail(
      static_cast<std::size_t>(std::min<std::uint64_t>(kLayerTailSize, size)));
  SHUNT_TRY(io::read_exactly(*opened.source, size - tail.size(), tail));
  const std::vector<ByteRange> toc = find_layer_toc(tail, size, opened.annotations);
  for (const ByteRange& range : toc) SHUNT_TRY(read_range(*opened.source, range, cancel));
  return !toc.empty();
}

Result<void> read_media_head(const io::Source& source, double seconds, const CancelToken* cancel) {
  if (const auto module = media::load_module(); !module) {
    log::info("{}: reading its beginning only: {}", source.name(), module.error().describe());
    return read_head_without_media(source, cancel);
  }
  SHUNT_ASSIGN(const bool played, media::play_head(source, seconds, cancel));
  return read_first(source, played ? kFirstOfMedia : kFirstOfAnything, cancel);
}

}  // namespace

Result<void> read_head(const source::Opened& opened, double seconds, const CancelToken* cancel) {
  SHUNT_TRY(check_cancel(cancel));
  const io::Source& source = *opened.source;
  // For a layer, reads the end first: most with a table of contents need nothing at the front.
  const bool is_layer = opened.is_part;
  if (is_layer) {
    SHUNT_ASSIGN(const bool found, read_layer_toc(opened, cancel));
    if (found) return {};
  }
  SHUNT_ASSIGN(const std::vector<std::byte> magic, read_magic(source));
  const bool compressed = looks_compressed(magic);
  if (compressed && !is_layer) {
    SHUNT_ASSIGN(const bool found, read_layer_toc(opened, cancel));
    if (found) return {};
  }
  if (compressed || looks_like_tar(magic)) return read_first(source, kFirstOfAnything, cancel);
  // For layers too: registries also hold media.
  return read_media_head(source, seconds, cancel);
}

Result<void> read_head_without_media(const io::Source& source, const CancelToken* cancel) {
  SHUNT_TRY(read_first(source, kFirstOfAnything, cancel));
  std::array<std::byte, 8> first{};
  if (source.size() < first.size()) return {};
  SHUNT_TRY(io::read_exactly(source, 0, first));
  const std::string_view text(reinterpret_cast<const char*>(first.data()), first.size());
  if (text.substr(4) != "ftyp") return {};
  const Result<mp4::FileMap> file = mp4::map_file(source);
  if (!file) {
    // The file type was a guess and may be wrong; errors of the Source or the server are real.
    if (file.error().code == ErrorCode::kCorrupt || file.error().code == ErrorCode::kUnsuitable) {
      return {};
    }
    return file.error();
  }
  const ByteRange moov = file->moov.range.intersect({0, source.size()});
  return read_range(source, ByteRange::of(moov.begin, std::min(moov.size(), kMostOfMoov)), cancel);
}

}  // namespace shunt::fetch
