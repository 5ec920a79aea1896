// A file by its descriptor: complete reads and writes, and the Linux calls that move extents.
//
// Short counts and EINTR are handled here. Every failure is an Error with the path and the
// operation. A File has one owner. Its const functions are thread-safe, and so is write_at for
// ranges that do not overlap.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/counters.h"
#include "shunt/io/fd.h"

namespace shunt::io {

// What happens to the bytes in the page cache afterwards.
enum class Caching {
  kKeep,  // as usual
  kDrop,  // pages not cached before are dropped, if the kernel can (RWF_DONTCACHE)
};

class File {
 public:
  File() = default;

  // `counters` is not owned and outlives the file; it may be null.
  static Result<File> open_to_read(const std::string& path, Counters* counters = nullptr);
  static Result<File> open_to_change(const std::string& path, Counters* counters = nullptr);
  // Creates a file that must not exist yet; mode 0600, for reading and writing.
  static Result<File> create(const std::string& path, Counters* counters = nullptr);
  // Opens a file for reading and writing, or creates it with mode 0600. Does not follow a symbolic
  // link.
  static Result<File> open_or_create(const std::string& path, Counters* counters = nullptr);
  // Opens an existing FIFO or device for write_next. Waits for the reader of a FIFO until `cancel`
  // is requested.
  static Result<File> open_to_write_stream(const std::string& path, const CancelToken& cancel);
  // Creates an unnamed file in `directory`, which vanishes when its descriptor is closed.
  static Result<File> create_unnamed(const std::string& directory, Counters* counters = nullptr);
  // Opens the same file again with `flags`, wherever its name leads now. Does not wait for leases.
  // Fails without /proc.
  [[nodiscard]] Result<File> reopen(int flags, const char* operation) const;
  // Takes an open descriptor; `name` is for messages.
  static File adopt(Fd fd, std::string name, Counters* counters = nullptr);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Sets the path in messages, after a rename.
  void set_path(std::string path) { path_ = std::move(path); }
  [[nodiscard]] Counters* counters() const { return counters_; }

  [[nodiscard]] Result<struct stat> status() const;
  [[nodiscard]] Result<std::uint64_t> size() const;
  // Time of creation, in nanoseconds; 0 if the file system does not keep it. It tells files apart
  // that had the same inode number at different times.
  [[nodiscard]] std::int64_t born() const;

  // Reads until `into` is full or the file ends; returns the number of bytes.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            Caching caching = Caching::kKeep) const;
  // For a descriptor without positions, such as a pipe. read_next reads until `into` is full or the
  // input ends; read_some returns what is there as soon as there is any. 0 at the end.
  [[nodiscard]] Result<std::size_t> read_some(std::span<std::byte> into) const;
  [[nodiscard]] Result<std::size_t> read_next(std::span<std::byte> into) const;

  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data,
                        Caching caching = Caching::kKeep);
  // Appends at the current end of the file, so that nothing another program appends is overwritten.
  // Returns kUnsuitable if the kernel cannot.
  Result<void> append(std::span<const std::byte> data);
  Result<void> write_next(std::span<const std::byte> data);
  // Makes read_some, read_next and write_next return kInterrupted when they would wait and `cancel`
  // is requested; a signal alone does not end them. nullptr: they wait for ever. Not owned;
  // outlives the file.
  void set_cancel(const CancelToken* cancel) { cancel_ = cancel; }

  Result<void> truncate(std::uint64_t size);
  Result<void> sync();       // data and metadata
  Result<void> sync_data();  // data, and the metadata needed to read it back
  Result<void> touch();      // sets access and modification time to now
  Result<void> set_modified(const struct timespec& time);
  // Closes and returns errors; the File is empty afterwards in any case.
  Result<void> close();

  // Allocates space for `range`, extending the file if it is shorter (fallocate, mode 0).
  Result<void> allocate(ByteRange range);
  // Returns kUnsuitable if the file system cannot; with EINVAL if `at` or `size` is not a multiple
  // of its allocation unit.
  Result<void> insert_range(std::uint64_t at, std::uint64_t size);
  Result<void> collapse_range(std::uint64_t at, std::uint64_t size);
  // Makes `range` read as zeros, without storage if the file system can.
  Result<void> punch_hole(ByteRange range);
  // Shares the extents of `from` (FICLONERANGE); kUnsuitable if the file system cannot.
  Result<void> clone_from(const File& from, ByteRange range, std::uint64_t to);
  // Copies in the kernel; returns the number of bytes, 0 at the end of `from`.
  Result<std::uint64_t> copy_from(const File& from, ByteRange range, std::uint64_t to);

  // Returns the first range of data at or after `offset` (SEEK_DATA, SEEK_HOLE); empty, at the end
  // of the file, if there is none. Without support for holes, returns the whole rest.
  [[nodiscard]] Result<ByteRange> next_data(std::uint64_t offset) const;

 private:
  File(Fd fd, std::string path, Counters* counters);
  [[nodiscard]] Error failure(const char* operation) const;  // uses errno

  Fd fd_;
  std::string path_;
  Counters* counters_ = nullptr;         // not owned; may be null
  const CancelToken* cancel_ = nullptr;  // likewise
};

// Returns true if reads and writes of `file` can bypass the page cache (RWF_DONTCACHE). Tries a
// read, so that nothing changes.
[[nodiscard]] bool supports_uncached(const File& file);

}  // namespace shunt::io
