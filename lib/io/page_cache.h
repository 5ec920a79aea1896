// Large copies that leave the page cache as they found it, with few dirty bytes in flight.
//
// Where the kernel has RWF_DONTCACHE, Caching::kDrop on each read and write is enough for the
// cache; elsewhere sync_file_range and posix_fadvise do it a window at a time. Bounding the dirty
// bytes needs sync_file_range in both cases.
#pragma once

#include <cstdint>
#include <optional>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::io {

// Follows the writes to a file: starts writing each window out as it fills, waits for the one
// before, and drops that from the cache. At most two windows of it are dirty at any time.
class WriteBehind {
 public:
  static constexpr std::uint64_t kWindow = std::uint64_t{8} << 20;

  // `file` is not owned. Nothing happens on a file system that does not know how.
  explicit WriteBehind(const File& file) : file_(file) {}

  // Tells of bytes just written. Stretches that do not follow the last one begin a new window.
  void wrote(ByteRange range);
  // Waits for all that was told of, and drops it. A failure shows in the sync that follows.
  void finish();

 private:
  void start_window();
  void drop(ByteRange range);

  const File& file_;
  ByteRange filling_;
  ByteRange in_flight_;
};

// Reads of `range` that are about to happen through the page cache (copy_file_range, say): notes
// which of its pages were there before and drops the others at the end.
class CachedPages {
 public:
  CachedPages(const File& file, ByteRange range);
  ~CachedPages();
  CachedPages(const CachedPages&) = delete;
  CachedPages& operator=(const CachedPages&) = delete;

 private:
  const File& file_;
  ByteRange range_;          // whole pages
  bool was_cached_ = false;  // any page of it
};

// Tells the kernel to begin writing `range` out, so that a later sync finds less to do. Does not
// wait, and drops nothing.
void start_writing(const File& file, ByteRange range);

// Takes `range` out of the page cache, but for what is not on disk yet.
void drop_cached(const File& file, ByteRange range);

// Takes `range` out of the page cache with all processors, when there seems to be much of it: what
// a call of the kernel that does the same with one would take long for. Without much of it, or with
// one processor, it does nothing.
void drop_if_much_cached(const File& file, ByteRange range);

// How many bytes of `range` the page cache holds; nullopt where the kernel does not tell.
[[nodiscard]] std::optional<std::uint64_t> cached_bytes(const File& file, ByteRange range);

}  // namespace shunt::io
