// The unmoved parts of a movie's file with changed fields, as extents of a Layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/layout/layout.h"
#include "shunt/layout/patched_source.h"
#include "shunt/mp4/moov_sizing.h"

namespace shunt::mp4 {

// Appends range by range to one Layout. One thread; movie, map and Layout are not owned and outlive
// it.
class PatchedRanges {
 public:
  PatchedRanges(const Movie& movie, const std::shared_ptr<const boxes::OffsetMap>& map,
                layout::PatchedSource::Patches patches, layout::Layout& layout);

  // Appends `range` of the file with its patches and with metas that have grown.
  Result<void> append(ByteRange range);

 private:
  // Fields close to each other share one extent, so that the Layout stays small; with more fields,
  // the distance that counts as close grows. The kernel can copy what lies between windows.
  static constexpr std::size_t kMaxWindows = 1024;

  // Number of windows in the whole file.
  [[nodiscard]] std::size_t windows() const;
  void append_patched(ByteRange range);

  const Movie& movie_;
  const std::shared_ptr<const boxes::OffsetMap>& map_;
  layout::PatchedSource::Patches patches_;
  io::SourcePtr patched_;
  layout::Layout& layout_;
  std::uint64_t join_within_ = 64;
};

}  // namespace shunt::mp4
