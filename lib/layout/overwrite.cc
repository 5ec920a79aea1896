#include "shunt/layout/overwrite.h"

#include <algorithm>
#include <vector>

#include "shunt/base/checked.h"
#include "shunt/streams/transfer.h"

namespace shunt::layout {
namespace {

constexpr std::uint64_t kBuffer = std::uint64_t{1} << 20;

}  // namespace

Result<void> write_source(io::File& file, std::uint64_t at, const io::Source& content) {
  std::uint64_t filled = 0;
  const auto fill = [&](streams::Block& block) -> Result<bool> {
    if (filled == content.size()) return false;
    block.at = at + filled;
    SHUNT_ASSIGN(const std::size_t got, content.read_at(filled, block.data));
    if (got == 0) return corrupt("the input ends too early", filled).with_path(content.name());
    block.data = block.data.first(got);
    filled += got;
    return true;
  };
  const auto drain = [&](const streams::Block& block) {
    return file.write_at(block.at, block.data);
  };
  streams::TransferOptions options;
  options.buffer_size = static_cast<std::size_t>(std::min(content.size() + 1, kBuffer));
  return streams::transfer(fill, drain, options);
}

Result<void> write_zeros(io::File& file, ByteRange range) {
  if (range.empty()) return {};
  const std::vector<std::byte> zeros(static_cast<std::size_t>(std::min(range.size(), kBuffer)));
  for (std::uint64_t at = range.begin; at < range.end;) {
    const auto part = std::span(zeros).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), range.end - at)));
    SHUNT_TRY(file.write_at(at, part, io::Caching::kDrop));
    at += part.size();
  }
  return {};
}

Result<void> clear_range(io::File& file, ByteRange range, std::uint64_t block_size) {
  const ByteRange blocks{round_up(range.begin, block_size), round_down(range.end, block_size)};
  if (blocks.begin >= blocks.end) return write_zeros(file, range);
  SHUNT_TRY(write_zeros(file, {range.begin, blocks.begin}));
  const Result<void> punched = file.punch_hole(blocks);
  if (!punched) {
    if (punched.error().code != ErrorCode::kUnsuitable) return punched.error();
    SHUNT_TRY(write_zeros(file, blocks));
  }
  return write_zeros(file, {blocks.end, range.end});
}

Result<void> write_field(io::File& file, const FieldPatch& patch, std::uint64_t at,
                         std::uint64_t value) {
  const FieldPatch::Bytes bytes = patch.encode(value);
  return file.write_at(at, std::span(bytes).first(patch.width));
}

}  // namespace shunt::layout
