#include "shunt/fetch/layer_toc.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "shunt/base/checked.h"
#include "shunt/text/ascii.h"

namespace shunt::fetch {
namespace {

using Bytes = std::span<const std::byte>;
using Ranges = std::vector<ByteRange>;

constexpr std::uint64_t kManifestType = 1;

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint64_t load_le(Bytes bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

// Parses exactly `count` decimal numbers separated by colons.
std::optional<std::vector<std::uint64_t>> parse_position(std::string_view text, std::size_t count) {
  std::vector<std::uint64_t> numbers;
  while (numbers.size() < count) {
    const std::size_t colon = text.find(':');
    const auto number = ascii::parse_number<std::uint64_t>(text.substr(0, colon));
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    if (colon == std::string_view::npos) {
      text = {};
      break;
    }
    text.remove_prefix(colon + 1);
    if (numbers.size() == count) return std::nullopt;
  }
  if (numbers.size() != count) return std::nullopt;
  return numbers;
}

// Returns [offset, offset + length) if it is not empty, not too large, and ends at or before `end`.
std::optional<ByteRange> range_below(std::uint64_t end, std::uint64_t offset,
                                     std::uint64_t length) {
  const auto sum = checked_add(offset, length);
  if (length == 0 || length > kMaxLayerTocSize || !sum || *sum > end) return std::nullopt;
  return ByteRange{offset, *sum};
}

// Sorts the ranges and merges those that touch or overlap.
Ranges joined(Ranges ranges) {
  std::ranges::sort(ranges, {}, &ByteRange::begin);
  Ranges out;
  for (const ByteRange& range : ranges) {
    if (!out.empty() && range.begin <= out.back().end) {
      out.back().end = std::max(out.back().end, range.end);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

// ---- eStargz ------------------------------------------------------------------------------------

// Returns the table of contents of a footer whose extra field begins with `extra_head`.
std::optional<ByteRange> stargz_toc(Bytes tail, std::uint64_t size, std::string_view extra_head) {
  constexpr std::size_t kDigits = 16;
  constexpr std::string_view kMagic = "STARGZ";
  constexpr std::size_t kHeader = 12;   // of a gzip member, with the length of the extra field
  constexpr std::size_t kTrailer = 13;  // an empty stored block, CRC and length
  const std::size_t extra = extra_head.size() + kDigits + kMagic.size();
  const std::size_t footer_size = kHeader + extra + kTrailer;
  if (tail.size() < footer_size) return std::nullopt;
  const Bytes footer = tail.last(footer_size);
  constexpr std::string_view kStart = "\x1f\x8b\x08\x04";  // deflate, with an extra field only
  if (!text_of(footer).starts_with(kStart)) return std::nullopt;
  if (load_le(footer.subspan(10, 2)) != extra) return std::nullopt;
  const std::string_view text = text_of(footer.subspan(kHeader, extra));
  if (!text.starts_with(extra_head) || !text.ends_with(kMagic)) return std::nullopt;
  const auto offset =
      ascii::parse_number<std::uint64_t>(text.substr(extra_head.size(), kDigits), 16);
  const std::uint64_t end = size - footer_size;  // the tail has the footer; it lies within size
  if (!offset || *offset >= end || end - *offset > kMaxLayerTocSize) return std::nullopt;
  return ByteRange{*offset, size};
}

Ranges estargz(Bytes tail, std::uint64_t size) {
  using namespace std::string_view_literals;
  for (const std::string_view extra_head : {"SG\x16\0"sv, ""sv}) {
    if (const auto toc = stargz_toc(tail, size, extra_head)) return Ranges{*toc};
  }
  return {};
}

// ---- zstd:chunked -------------------------------------------------------------------------------

struct ChunkedFooter {
  std::uint64_t size = 0;                 // including the header of its frame
  std::array<std::uint64_t, 7> fields{};  // without tar-split in the older form
};

std::optional<ChunkedFooter> chunked_footer(Bytes tail) {
  constexpr std::string_view kSkippable = "\x50\x2a\x4d\x18";
  struct Form {
    std::size_t size;
    std::string_view magic;
  };
  for (const Form& form : {Form{64, "GNUlInUx"}, Form{40, "GnUlInUx"}}) {
    if (tail.size() < form.size + 8) continue;
    const Bytes frame = tail.last(form.size + 8);
    if (!text_of(frame).starts_with(kSkippable) || !text_of(frame).ends_with(form.magic)) continue;
    if (load_le(frame.subspan(4, 4)) != form.size) continue;
    ChunkedFooter footer;
    footer.size = frame.size();
    for (std::size_t i = 0; i < form.size / 8 - 1; ++i) {
      footer.fields[i] = load_le(frame.subspan(8 + i * 8, 8));
    }
    return footer;
  }
  return std::nullopt;
}

Ranges zstd_chunked(Bytes tail, std::uint64_t size,
                    const std::map<std::string, std::string>& annotations) {
  const auto footer = chunked_footer(tail);
  const std::uint64_t end = size - (footer ? footer->size : 0);
  std::optional<ByteRange> manifest;
  std::optional<ByteRange> split;
  for (const std::string prefix :
       {"io.github.containers.zstd-chunked.", "io.containers.zstd-chunked."}) {
    const auto text = annotations.find(prefix + "manifest-position");
    if (text == annotations.end()) continue;
    const auto numbers = parse_position(text->second, 4);
    if (!numbers || (*numbers)[3] != kManifestType) continue;
    manifest = range_below(end, (*numbers)[0], (*numbers)[1]);
    if (!manifest) continue;
    if (const auto found = annotations.find(prefix + "tarsplit-position");
        found != annotations.end()) {
      if (const auto parts = parse_position(found->second, 3)) {
        split = range_below(end, (*parts)[0], (*parts)[1]);
      }
    }
    break;
  }
  if (!manifest && footer && footer->fields[3] == kManifestType) {
    manifest = range_below(end, footer->fields[0], footer->fields[1]);
    split = range_below(end, footer->fields[4], footer->fields[5]);
  }
  if (!manifest) return {};
  Ranges ranges = {*manifest};
  if (split) ranges.push_back(*split);
  if (footer) ranges.push_back({end, size});
  return joined(std::move(ranges));
}

}  // namespace

Ranges find_layer_toc(Bytes tail, std::uint64_t size,
                      const std::map<std::string, std::string>& annotations) {
  if (tail.size() > size) return {};
  Ranges chunked = zstd_chunked(tail, size, annotations);
  return chunked.empty() ? estargz(tail, size) : chunked;
}

bool looks_compressed(Bytes first) {
  const std::string_view text = text_of(first);
  if (text.starts_with("\x1f\x8b") || text.starts_with("\x28\xb5\x2f\xfd")) return true;
  return text.size() >= 4 && (load_le(first.first(4)) & 0xfffffff0) == 0x184d2a50;
}

bool looks_like_tar(Bytes first) {
  constexpr std::size_t kMagicAt = 257;
  return first.size() > kMagicAt && text_of(first.subspan(kMagicAt)).starts_with("ustar");
}

}  // namespace shunt::fetch
