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
                              io::File& out, const DeliverOptions& options) {
  SHUNT_ASSIGN(const bool verified, verify_bytes(opened, *opened.source, options.cancel));
  SHUNT_TRY(layout::write_file(layout_of(opened, ranges), out, {options.cancel, options.progress}));
  return Delivered{verified};
}

Result<Delivered> stream_local(const source::Opened& opened, const std::vector<ByteRange>& ranges,
                               io::File& out, const DeliverOptions& options) {
  SHUNT_ASSIGN(const bool verified, verify_bytes(opened, *opened.source, options.cancel));
  const io::FileRange file = opened.source->in_file();
  if (file.file == nullptr) {
    SHUNT_TRY(layout::write_stream(layout_of(opened, ranges), out, {options.cancel, nullptr}));
    return Delivered{verified};
  }
  if (options.progress != nullptr) options.progress->begin("fetching", total(ranges));
  streams::StreamCopy stream(out, options.cancel);
  for (ByteRange rest : ranges) {
    while (!rest.empty()) {
      if (options.cancel != nullptr) SHUNT_TRY(options.cancel->check());
      const ByteRange step = ByteRange::of(rest.begin, std::min(rest.size(), kStep));
      ByteRange in_file = step.moved_by(file.begin);
      SHUNT_TRY(stream.append(*file.file, in_file));
      if (options.progress != nullptr) options.progress->advance(step.size());
      rest.begin = step.end;
    }
  }
  return Delivered{verified};
}

}  // namespace shunt::fetch
