#include "shunt/mp4/patched_ranges.h"

#include <algorithm>
#include <utility>

namespace shunt::mp4 {

PatchedRanges::PatchedRanges(const Movie& movie, const std::shared_ptr<const boxes::OffsetMap>& map,
                             layout::PatchedSource::Patches patches, layout::Layout& layout)
    : movie_(movie),
      map_(map),
      patches_(std::move(patches)),
      patched_(std::make_shared<const layout::PatchedSource>(movie.source, patches_)),
      layout_(layout) {
  while (windows() > kMaxWindows) join_within_ *= 2;
}

Result<void> PatchedRanges::append(ByteRange range) {
  for (const BoxModel& meta : movie_.fields.metas) {
    const ByteRange box = meta.box.range;
    if (meta.growth() == 0 || !range.contains(box)) continue;
    append_patched({range.begin, box.begin});
    SHUNT_TRY(append_moved(meta, map_, layout_));
    range.begin = box.end;
  }
  append_patched(range);
  return {};
}

std::size_t PatchedRanges::windows() const {
  std::size_t count = 0;
  std::uint64_t end = 0;
  for (const layout::FieldPatch& patch : *patches_) {
    if (count == 0 || patch.at > end + join_within_) ++count;
    end = patch.range().end;
  }
  return count;
}

void PatchedRanges::append_patched(ByteRange range) {
  auto patch = std::ranges::lower_bound(*patches_, range.begin, {}, &layout::FieldPatch::at);
  while (patch != patches_->end() && patch->at < range.end) {
    ByteRange window{std::max(patch->at, range.begin), patch->range().end};
    for (++patch; patch != patches_->end() && patch->at < range.end &&
                  patch->at <= window.end + join_within_;
         ++patch) {
      window.end = patch->range().end;
    }
    window.end = std::min(window.end, range.end);
    layout_.append(movie_.source, {range.begin, window.begin});
    layout_.append(patched_, window);
    range.begin = window.end;
  }
  layout_.append(movie_.source, range);
}

}  // namespace shunt::mp4
