#include "shunt/fetch/local_delivery.h"

#include <algorithm>

#include "shunt/fetch/passing_digest.h"
#include "shunt/fetch/steps.h"
#include "shunt/layout/layout.h"
#include "shunt/layout/realise.h"
#include "shunt/streams/stream_copy.h"

namespace shunt::fetch {
namespace {

layout::Layout layout_of(const source::Opened& opened, const std::vector<ByteRange>& ranges) {
  layout::Layout layout(opened.name);
  for (const ByteRange range : ranges) {
    if (!range.empty()) layout.append(opened.source, range);
  }
  return layout;
}

}  // namespace

Result<Delivered> write_local(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                              io::File& out, const Context& context) {
  SHUNT_ASSIGN(const bool verified, verify_bytes(opened, *opened.source, context.cancel));
  SHUNT_TRY(layout::write_file(layout_of(opened, ranges), out, context));
  return Delivered{verified};
}

Result<Delivered> stream_local(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                               io::File& out, const Context& context) {
  SHUNT_ASSIGN(const bool verified, verify_bytes(opened, *opened.source, context.cancel));
  const io::FileRange file = opened.source->in_file();
  if (file.file == nullptr) {
    SHUNT_TRY(layout::write_stream(layout_of(opened, ranges), out, context.telling_nobody()));
    return Delivered{verified};
  }
  context.begin("fetching", total(ranges));
  streams::StreamCopy stream(out, context.cancel);
  for (ByteRange rest : ranges) {
    while (!rest.empty()) {
      SHUNT_TRY(context.check());
      const ByteRange step = ByteRange::of(rest.begin, std::min(rest.size(), kStep));
      ByteRange in_file = step.moved_by(file.begin);
      SHUNT_TRY(stream.append(*file.file, in_file));
      context.advance(step.size());
      rest.begin = step.end;
    }
  }
  return Delivered{verified};
}

}  // namespace shunt::fetch
