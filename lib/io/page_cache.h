// Keeps large copies from filling the page cache, and limits dirty bytes.
//
// With RWF_DONTCACHE, Caching::kDrop on each read and write keeps the cache clean; without it,
// sync_file_range and posix_fadvise do so one window at a time. Limiting dirty bytes needs
// sync_file_range in both cases.
#pragma once

#include <cstdint>
#include <optional>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::io {

// Follows the writes to a file: starts writeback of each window as it fills, waits for the previous
// one and drops it from the cache. At most two windows are dirty at a time. One thread.
class WriteBehind {
 public:
  static constexpr std::uint64_t kWindow = std::uint64_t{8} << 20;

  // `file` is not owned. Does nothing if the file system cannot.
  explicit WriteBehind(const File& file) : file_(file) {}

  // Reports bytes just written. A range that does not follow the last one begins a new window.
  void wrote(ByteRange range);
  // Waits for all reported bytes and drops them. An error shows in the sync that follows.
  void finish();

 private:
  void start_window();
  void drop(ByteRange range);

  const File& file_;
  ByteRange filling_;
  ByteRange in_flight_;
};

// For reads of `range` through the page cache (copy_file_range, for example): records which pages
// were cached before, and drops the others in the destructor. `file` is not owned.
class CachedPages {
 public:
  CachedPages(const File& file, ByteRange range);
  ~CachedPages();
  CachedPages(const CachedPages&) = delete;
  CachedPages& operator=(const CachedPages&) = delete;

 private:
  const File& file_;
  ByteRange range_;          // whole pages
  bool was_cached_ = false;  // true if any page was
};

// Starts writeback of `range`, so that a later sync has less to do. Neither waits nor drops pages.
void start_writing(const File& file, ByteRange range);

// Drops `range` from the page cache, except dirty pages.
void drop_cached(const File& file, ByteRange range);

// Drops `range` from the page cache with all processors if much of it seems to be cached; a single
// kernel call would take long. Otherwise, or with one processor, does nothing.
void drop_if_much_cached(const File& file, ByteRange range);

// Returns the number of cached bytes of `range`; nullopt if the kernel does not tell.
[[nodiscard]] std::optional<std::uint64_t> cached_bytes(const File& file, ByteRange range);

}  // namespace shunt::io
