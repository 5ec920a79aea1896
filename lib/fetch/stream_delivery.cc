// Delivery into a stream: in order, each byte as soon as its block is there.
#include <algorithm>

#include "shunt/fetch/deliver.h"
#include "shunt/fetch/local_delivery.h"
#include "shunt/fetch/passing_digest.h"
#include "shunt/fetch/steps.h"
#include "shunt/streams/stream_copy.h"

namespace shunt::fetch {

Result<Delivered> stream_ranges(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                                io::File& out, const Context& context) {
  if (opened.far_away() == nullptr) return stream_local(opened, ranges, out, context);
  context.begin("fetching", total(ranges));
  streams::StreamCopy stream(out, context.cancel);
  const io::FarAway& far = *opened.far_away();
  far.will_need(ranges);
  PassingDigest digest(opened, ranges);
  std::vector<std::byte> buffer;
  for (ByteRange rest : ranges) {
    while (!rest.empty()) {
      SHUNT_TRY(context.check());
      SHUNT_ASSIGN(ByteRange part, far.wait_for_start(rest));
      part.end = std::min(part.end, part.begin + kStep);
      const io::FileRange file = far.backing_file();
      ByteRange in_file = part.moved_by(file.begin);
      if (file.file == nullptr || !stream.append(*file.file, in_file)) {
        // The bytes are in memory, or the kernel could not copy: reading shows why, or repairs the
        // cache.
        if (file.file != nullptr) part.begin = in_file.begin - file.begin;
        if (digest.wanted()) {
          // Hashes what was sent without being read.
          SHUNT_TRY(
              digest.update_from(*opened.source, {digest.position(), part.begin}, context.cancel));
        }
        buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), 1 << 20)));
        part.end = part.begin + buffer.size();
        SHUNT_TRY(io::read_exactly(*opened.source, part.begin, buffer));
        SHUNT_TRY(out.write_next(buffer));
        digest.update(buffer);
      }
      context.advance(part.end - rest.begin);
      rest.begin = part.end;
    }
  }
  if (digest.wanted() && digest.position() == opened.source->size()) {
    SHUNT_ASSIGN(const bool verified, digest.finish());
    return Delivered{verified};
  }
  return verify_whole(opened, context);
}

}  // namespace shunt::fetch
