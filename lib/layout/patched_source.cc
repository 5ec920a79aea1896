#include "shunt/layout/patched_source.h"

#include <algorithm>

#include "shunt/base/byte_range.h"

namespace shunt::layout {

Result<std::string> PatchedSource::identity() const {
  SHUNT_ASSIGN(const std::string original, source_->identity());
  return original.empty() ? original : "patched " + original;
}

Result<std::size_t> PatchedSource::read_at(std::uint64_t offset, std::span<std::byte> into,
                                           io::Caching caching) const {
  SHUNT_ASSIGN(const std::size_t got, source_->read_at(offset, into, caching));
  const ByteRange read = ByteRange::of(offset, got);
  // A field of 8 bytes may begin up to 7 bytes before `offset`.
  auto patch = std::ranges::lower_bound(*patches_, offset - std::min<std::uint64_t>(offset, 7), {},
                                        &FieldPatch::at);
  for (; patch != patches_->end() && patch->at < read.end; ++patch) {
    const ByteRange part = patch->range().intersect(read);
    if (part.empty()) continue;
    const FieldPatch::Bytes bytes = patch->encode(patch->new_value);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(part.begin - patch->at), part.size(),
                into.begin() + static_cast<std::ptrdiff_t>(part.begin - offset));
  }
  return got;
}

}  // namespace shunt::layout
