#include "sink/nbd_export.h"

namespace shunt::sink {

nbd::Features NbdExport::features() const {
  const Options& options = sink_.options();
  const bool at_end = options.policy == CommitPolicy::kAtEnd && !options.offer_as_window;
  return {.multi_conn = at_end, .fast_zero = at_end && !options.truncate};
}

Result<void> NbdExport::start_flush() {
  // One place for all clients: a flush may only wait for more than it has to.
  flush_to_ = sink_.released();
  SHUNT_TRY(sink_.is_sent(flush_to_));
  return {};
}

Result<std::vector<nbd::Allocation>> NbdExport::allocation(ByteRange range, std::size_t most) {
  std::vector<nbd::Allocation> extents;
  for (const Sink::Extent& extent : sink_.extents(range, most)) {
    extents.push_back({.size = extent.size, .hole = extent.zeros, .zeros = extent.zeros});
  }
  return extents;
}

}  // namespace shunt::sink
