#include "shunt/fetch/deliver.h"

#include <algorithm>

#include "shunt/fetch/file_delivery.h"
#include "shunt/fetch/local_delivery.h"
#include "shunt/fetch/passing_digest.h"
#include "shunt/fetch/steps.h"

namespace shunt::fetch {
namespace {

Error cannot_keep(const source::Opened& opened) {
  Error error;
  error.code = ErrorCode::kLocalIo;
  error.path = opened.name;
  error.reason = "the cache cannot keep it";
  return error;
}

}  // namespace

Result<Delivered> write_ranges(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                               io::File& out, const Context& context) {
  if (opened.far_away() == nullptr) return write_local(opened, ranges, out, context);
  return FileDelivery(opened, ranges, out, context).run();
}

Result<Delivered> cache_ranges(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                               const Context& context) {
  if (opened.far_away() == nullptr) {
    SHUNT_ASSIGN(const bool verified, verify_bytes(opened, *opened.source, context.cancel));
    return Delivered{verified};
  }
  const io::FarAway& far = *opened.far_away();
  context.begin("fetching", total(ranges));
  far.will_need(ranges);
  std::vector<ByteRange> left = ranges;
  while (true) {
    std::erase_if(left, [](ByteRange range) { return range.empty(); });
    if (left.empty()) break;
    SHUNT_TRY(context.check());
    SHUNT_ASSIGN(const io::FarAway::Part part, far.wait_for_any(left));
    if (far.backing_file().file == nullptr) return cannot_keep(opened);
    const ByteRange whole = left[part.index];
    left[part.index].end = part.range.begin;
    if (part.range.end < whole.end) left.push_back({part.range.end, whole.end});
    context.advance(part.range.size());
  }
  if (far.backing_file().file == nullptr) return cannot_keep(opened);
  return verify_whole(opened, context);
}

}  // namespace shunt::fetch
