#include "shunt/in_place/original_view.h"

#include <algorithm>

namespace shunt::in_place {

Result<std::size_t> OriginalView::read_at(std::uint64_t offset, std::span<std::byte> into,
                                          io::Caching caching) const {
  if (offset >= size_) return std::size_t{0};
  into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset)));
  std::size_t done = 0;
  while (done < into.size()) {
    const std::uint64_t at = offset + done;
    std::span<std::byte> part = into.subspan(done);
    const bool moved = at >= cursor_;
    if (!moved) {
      part =
          part.first(static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), cursor_ - at)));
    }
    SHUNT_ASSIGN(const std::size_t got, file_.read_at(moved ? at + gap_ : at, part, caching));
    done += got;
    if (got < part.size()) break;
  }
  saved_.overlay(offset, into.first(done));
  return done;
}

}  // namespace shunt::in_place
