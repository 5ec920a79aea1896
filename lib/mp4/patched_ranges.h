// The parts of a movie's file that stay, with the fields in them that change, as extents of a
// Layout.
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

// Appends to one Layout, range by range. One thread; the movie, the map and the Layout are not
// owned.
class PatchedRanges {
 public:
  PatchedRanges(const Movie& movie, const std::shared_ptr<const boxes::OffsetMap>& map,
                layout::PatchedSource::Patches patches, layout::Layout& layout);

  // `range` of the file with the patches that fall into it, and with metas that have grown.
  Result<void> append(ByteRange range);

 private:
  // A Layout stays small: fields that lie close to one another are one extent, and the more there
  // are the more is close. What lies between windows can be handed to the kernel.
  static constexpr std::size_t kMaxWindows = 1024;

  // How many windows there are in the whole file.
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
