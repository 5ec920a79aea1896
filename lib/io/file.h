// A file by its descriptor: whole reads and writes, and the Linux calls that move extents.
//
// Short counts and EINTR end here. Every failure is an Error that names the path and the operation.
// A File has one owner; its const functions may be called from several threads at once, and
// write_at too for ranges that do not overlap.
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

// What the page cache should hold of the bytes afterwards.
enum class Caching {
  kKeep,  // as usual
  kDrop,  // nothing that was not there before, where the kernel can (RWF_DONTCACHE)
};

class File {
 public:
  File() = default;

  static Result<File> open_to_read(const std::string& path, Counters* counters = nullptr);
  static Result<File> open_to_change(const std::string& path, Counters* counters = nullptr);
  // A new file that must not exist yet, mode 0600, open for reading and writing.
  static Result<File> create(const std::string& path, Counters* counters = nullptr);
  // For reading and writing; a new one, mode 0600, when there is none. Never through a symbolic
  // link.
  static Result<File> open_or_create(const std::string& path, Counters* counters = nullptr);
  // A FIFO or device that is there already, for write_next. Waits for a FIFO's reader, and asks
  // `cancel` meanwhile.
  static Result<File> open_to_write_stream(const std::string& path, const CancelToken& cancel);
  // A file without a name in `directory`, which vanishes with its descriptor.
  static Result<File> create_unnamed(const std::string& directory, Counters* counters = nullptr);
  // The same file once more, with flags of its own, whatever its name leads to now. Does not wait
  // for whoever has a lease on it. Fails where there is no /proc.
  [[nodiscard]] Result<File> reopen(int flags, const char* operation) const;
  // Takes over a descriptor that is already open; `name` is for messages.
  static File adopt(Fd fd, std::string name, Counters* counters = nullptr);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // After a rename: what messages call it from now on.
  void set_path(std::string path) { path_ = std::move(path); }
  [[nodiscard]] Counters* counters() const { return counters_; }

  [[nodiscard]] Result<struct stat> status() const;
  [[nodiscard]] Result<std::uint64_t> size() const;
  // When the file was made, in nanoseconds; 0 where the file system does not keep it. Inode numbers
  // are used again, and this tells two files of one number apart.
  [[nodiscard]] std::int64_t born() const;

  // Reads until `into` is full or the file ends; returns how many bytes that were.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            Caching caching = Caching::kKeep) const;
  // For a descriptor without positions, such as a pipe: read_next until `into` is full or the input
  // ends, read_some what there is as soon as there is any; 0 at the end.
  [[nodiscard]] Result<std::size_t> read_some(std::span<std::byte> into) const;
  [[nodiscard]] Result<std::size_t> read_next(std::span<std::byte> into) const;

  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data,
                        Caching caching = Caching::kKeep);
  // Behind the end of the file, wherever that is at the moment of the call, so that nothing another
  // program appends is written over. kUnsuitable where the kernel can't.
  Result<void> append(std::span<const std::byte> data);
  Result<void> write_next(std::span<const std::byte> data);
  // From now on read_some, read_next and write_next end with kInterrupted when they have to wait
  // and `cancel` has been asked to stop: no signal that only asks would end them. nullptr: they
  // wait for good.
  void set_cancel(const CancelToken* cancel) { cancel_ = cancel; }

  Result<void> truncate(std::uint64_t size);
  Result<void> sync();       // data and metadata
  Result<void> sync_data();  // data, and the metadata that reading it back needs
  Result<void> touch();      // accessed and modified: now
  Result<void> set_modified(const struct timespec& time);
  // Closes and tells of a failure; the File is empty afterwards either way.
  Result<void> close();

  // Space for `range`, which extends the file where it ends earlier (fallocate, mode 0).
  Result<void> allocate(ByteRange range);
  // kUnsuitable where the file system can't; with EINVAL where `at` or `size` are no multiples of
  // its allocation unit.
  Result<void> insert_range(std::uint64_t at, std::uint64_t size);
  Result<void> collapse_range(std::uint64_t at, std::uint64_t size);
  // Turns `range` into zeros, without storage where the file system can.
  Result<void> punch_hole(ByteRange range);
  // Shares the extents of `from` (FICLONERANGE); kUnsuitable where the file system can't.
  Result<void> clone_from(const File& from, ByteRange range, std::uint64_t to);
  // Copies within the kernel; returns how much was done, 0 at the end of `from`.
  Result<std::uint64_t> copy_from(const File& from, ByteRange range, std::uint64_t to);

  // The first stretch of data at or after `offset` (SEEK_DATA, SEEK_HOLE); empty, at the end of the
  // file, when there is none. A file system that knows no holes gives all the rest.
  [[nodiscard]] Result<ByteRange> next_data(std::uint64_t offset) const;

 private:
  File(Fd fd, std::string path, Counters* counters);
  [[nodiscard]] Error failure(const char* operation) const;  // of errno

  Fd fd_;
  std::string path_;
  Counters* counters_ = nullptr;         // not owned; may be null
  const CancelToken* cancel_ = nullptr;  // likewise
};

// Whether reads and writes through `file` can leave the page cache alone (RWF_DONTCACHE).
// Asked with a read, so that nothing changes.
[[nodiscard]] bool supports_uncached(const File& file);

}  // namespace shunt::io
