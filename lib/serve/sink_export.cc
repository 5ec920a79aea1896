#include "shunt/serve/sink_export.h"

namespace shunt::serve {

nbd::Features SinkExport::features() const {
  const sink::Options& options = sink_.options();
  const bool at_end = options.policy == sink::CommitPolicy::kAtEnd && !options.offer_as_window;
  return {.multi_conn = at_end, .fast_zero = at_end && !options.truncate};
}

Result<void> SinkExport::start_flush() {
  // One position for all clients: a flush then waits for more than needed at worst.
  flush_to_ = sink_.released();
  SHUNT_TRY(sink_.is_sent(flush_to_));
  return {};
}

Result<std::vector<nbd::Allocation>> SinkExport::allocation(ByteRange range, std::size_t most) {
  std::vector<nbd::Allocation> extents;
  for (const sink::Sink::Extent& extent : sink_.extents(range, most)) {
    extents.push_back({.size = extent.size, .hole = extent.zeros, .zeros = extent.zeros});
  }
  return extents;
}

}  // namespace shunt::serve
