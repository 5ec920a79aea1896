#include "shunt/io/extent_map.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <functional>

namespace shunt::io {
namespace {

constexpr std::size_t kBatch = 256;

// A fiemap request followed by room for kBatch extents, as the kernel expects it.
class Request {
 public:
  Request() : storage_(sizeof(fiemap) + kBatch * sizeof(fiemap_extent)) {}
  [[nodiscard]] fiemap& head() { return *reinterpret_cast<fiemap*>(storage_.data()); }
  [[nodiscard]] const fiemap_extent& extent(unsigned i) { return head().fm_extents[i]; }

 private:
  std::vector<std::byte> storage_;  // from operator new, hence aligned
};

// Calls `visit` for each extent until it returns false.
Result<void> for_each_extent(const File& file, ByteRange range,
                             const std::function<bool(ByteRange)>& visit) {
  Request request;
  fiemap& head = request.head();
  std::uint64_t at = range.begin;
  while (at < range.end) {
    head = {};
    head.fm_start = at;
    head.fm_length = range.end - at;
    head.fm_flags = FIEMAP_FLAG_SYNC;
    head.fm_extent_count = kBatch;
    if (::ioctl(file.fd(), FS_IOC_FIEMAP, &head) != 0) {
      if (errno == EINTR) continue;
      Error error = system_error(errno, file.path(), "list extents");
      if (errno == ENOTTY || errno == EOPNOTSUPP || errno == EBADR) {
        error.code = ErrorCode::kUnsuitable;
      }
      return error;
    }
    if (head.fm_mapped_extents == 0) return {};
    for (unsigned i = 0; i < head.fm_mapped_extents; ++i) {
      const fiemap_extent& extent = request.extent(i);
      at = extent.fe_logical + extent.fe_length;
      if (!visit(ByteRange::of(extent.fe_logical, extent.fe_length))) return {};
      if ((extent.fe_flags & FIEMAP_EXTENT_LAST) != 0) return {};
    }
  }
  return {};
}

Error too_many(const File& file, const char* what) {
  Error error;
  error.code = ErrorCode::kUnsuitable;
  error.path = file.path();
  error.operation = "list extents";
  error.reason = std::string("the file has too many ") + what;
  return error;
}

}  // namespace

Result<std::vector<ByteRange>> extents_of(const File& file, ByteRange range, std::size_t limit) {
  std::vector<ByteRange> extents;
  bool full = false;
  SHUNT_TRY(for_each_extent(file, range, [&](ByteRange extent) {
    full = extents.size() == limit;
    if (!full) extents.push_back(extent);
    return !full;
  }));
  if (full) return too_many(file, "extents");
  return extents;
}

Result<std::vector<ByteRange>> holes_of(const File& file, ByteRange range, std::size_t limit) {
  std::vector<ByteRange> holes;
  bool full = false;
  std::uint64_t covered = range.begin;
  const auto add = [&](std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) return;
    full = full || holes.size() == limit;
    if (!full) holes.push_back({begin, end});
  };
  SHUNT_TRY(for_each_extent(file, range, [&](ByteRange extent) {
    add(covered, std::min(extent.begin, range.end));
    covered = std::max(covered, extent.end);
    return !full;
  }));
  if (!full) add(covered, range.end);
  if (full) return too_many(file, "holes");
  return holes;
}

}  // namespace shunt::io
