#include "shunt/layout/realise.h"

#include <fcntl.h>

#include <algorithm>

#include "shunt/files/file_system.h"
#include "shunt/io/fd.h"
#include "shunt/io/page_cache.h"
#include "shunt/streams/transfer.h"

namespace shunt::layout {
namespace {

// Minimum size of a local file's range for which looking for holes and a kernel copy are
// worthwhile.
constexpr std::uint64_t kLarge = std::uint64_t{1} << 20;
constexpr std::uint64_t kCopyWindow = io::WriteBehind::kWindow;

bool is_large_file_range(const Extent& extent) {
  return extent.kind == Extent::Kind::kSource && extent.size >= kLarge &&
         extent.source->in_file().file != nullptr;
}

// Yields the bytes of a Layout in order, without its holes.
class LayoutReader {
 public:
  explicit LayoutReader(const Layout& layout) : layout_(layout) {}

  Result<bool> fill(streams::Block& block) {
    SHUNT_ASSIGN(const ByteRange run, next_run());
    if (run.empty()) return false;
    block.at = run.begin;
    block.data = block.data.first(
        static_cast<std::size_t>(std::min<std::uint64_t>(block.data.size(), run.size())));
    SHUNT_ASSIGN(const std::size_t got, layout_.read_at(run.begin, block.data, io::Caching::kDrop));
    if (got < block.data.size()) return corrupt("the input ends too early", run.begin + got);
    at_ = run.begin + got;
    return true;
  }

 private:
  // Returns the next range, from at_ on, without holes of a worthwhile size.
  Result<ByteRange> next_run() {
    while (at_ < layout_.size()) {
      if (at_ < run_.end) return ByteRange{at_, run_.end};
      const auto& extents = layout_.extents();
      while (extents[index_].at + extents[index_].size <= at_) ++index_;
      const Extent& extent = extents[index_];
      const std::uint64_t end = extent.at + extent.size;
      if (extent.kind == Extent::Kind::kZeros) {
        at_ = end;
        continue;
      }
      if (is_large_file_range(extent)) {
        const io::FileRange in_file = extent.source->in_file();
        // Offset of the extent's bytes in the file, relative to their offset in the Layout.
        const std::uint64_t first = in_file.begin + extent.begin;
        SHUNT_ASSIGN(const ByteRange data, in_file.file->next_data(first + (at_ - extent.at)));
        if (data.begin >= first + extent.size) {
          at_ = end;
          continue;
        }
        at_ = std::max(at_, extent.at + (data.begin - first));
        run_ = {at_, std::min(end, extent.at + (data.end - first))};
        continue;
      }
      // Everything up to the next range that may have holes.
      run_ = {at_, end};
      for (std::size_t i = index_ + 1; i < extents.size() && !is_large_file_range(extents[i]) &&
                                       extents[i].kind != Extent::Kind::kZeros;
           ++i) {
        run_.end = extents[i].at + extents[i].size;
      }
    }
    return ByteRange{};
  }

  const Layout& layout_;
  std::uint64_t at_ = 0;
  ByteRange run_;
  std::size_t index_ = 0;
};

// Reads and writes through buffers, bypassing the page cache.
Result<void> transfer_file(const Layout& layout, io::File& out, const Context& context) {
  LayoutReader reader(layout);
  io::WriteBehind behind(out);
  SHUNT_TRY(streams::transfer([&](streams::Block& block) { return reader.fill(block); },
                              [&](const streams::Block& block) -> Result<void> {
                                SHUNT_TRY(out.write_at(block.at, block.data, io::Caching::kDrop));
                                behind.wrote(ByteRange::of(block.at, block.data.size()));
                                return {};
                              },
                              {.context = context}));
  behind.finish();
  return {};
}

// Copies in the kernel, one window at a time; the file system may share extents or copy on its
// server.
Result<void> copy_file(const Layout& layout, io::File& out, const Context& context) {
  io::WriteBehind behind(out);
  std::vector<std::byte> buffer(streams::kTransferBufferSize);
  for (const Extent& extent : layout.extents()) {
    if (extent.kind == Extent::Kind::kZeros) continue;
    const bool large = is_large_file_range(extent);
    const io::FileRange in_file = large ? extent.source->in_file() : io::FileRange{};
    for (std::uint64_t done = 0; done < extent.size;) {
      SHUNT_TRY(context.check());
      std::uint64_t step = std::min(extent.size - done, std::uint64_t{buffer.size()});
      if (large) {
        const std::uint64_t first = in_file.begin + extent.begin;
        SHUNT_ASSIGN(const ByteRange data, in_file.file->next_data(first + done));
        done = std::min(extent.size, std::max(done, data.begin - first));
        step = std::min({kCopyWindow, extent.size - done, data.end - (first + done)});
        if (done == extent.size) break;
        const ByteRange range = ByteRange::of(first + done, step);
        const io::CachedPages pages(*in_file.file, range);
        SHUNT_ASSIGN(step, out.copy_from(*in_file.file, range, extent.at + done));
        if (step == 0) return corrupt("the input ends too early", range.begin);
      } else {
        const auto part = std::span(buffer).first(static_cast<std::size_t>(step));
        SHUNT_TRY(io::read_exactly(layout, extent.at + done, part));
        SHUNT_TRY(out.write_at(extent.at + done, part));
      }
      behind.wrote(ByteRange::of(extent.at + done, step));
      done += step;
      context.advance(step);
    }
  }
  behind.finish();
  return {};
}

}  // namespace

Result<void> write_file(const Layout& layout, io::File& out, const Context& context) {
  context.begin("copying", layout.size());
  // Sets the size first: a size limit shows at once, and what is not written stays a hole.
  SHUNT_TRY(out.truncate(layout.size()));
  SHUNT_ASSIGN(const files::FileSystem file_system, files::FileSystem::of(out));
  const bool in_kernel =
      file_system.in_kernel_copy_first || file_system.clone_range || !io::supports_uncached(out);
  if (in_kernel) {
    Result<void> copied = copy_file(layout, out, context);
    // The kernel may be unable to copy between two file systems or from a special one.
    if (copied || copied.error().code != ErrorCode::kUnsuitable) return copied;
  }
  return transfer_file(layout, out, context);
}

Result<void> write_stream(const io::Source& source, io::File& out, const Context& context) {
  io::enlarge_pipe(out.fd());
  context.begin("copying", source.size());
  std::uint64_t at = 0;
  const auto fill = [&](streams::Block& block) -> Result<bool> {
    SHUNT_ASSIGN(const std::size_t got, source.read_at(at, block.data, io::Caching::kDrop));
    block.data = block.data.first(got);
    at += got;
    return got > 0;
  };
  SHUNT_TRY(streams::transfer(
      fill, [&](const streams::Block& block) { return out.write_next(block.data); },
      {.context = context}));
  if (at == source.size()) return {};
  Error error = corrupt("the input ends too early", at);
  error.path = source.name();
  return error;
}

}  // namespace shunt::layout
