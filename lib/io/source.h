// Source: random-access bytes that all of shunt reads from.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::io {

class FarAway;

// The place of a Source's bytes in a local file, where they lie unchanged, so that the kernel can
// copy them.
struct FileRange {
  const File* file = nullptr;  // not owned; lives as long as the Source
  std::uint64_t begin = 0;
};

// Immutable while in use. read_at is thread-safe.
class Source {
 public:
  virtual ~Source() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;

  // Reads until `into` is full or the Source ends; returns the number of bytes.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                                    Caching caching = Caching::kKeep) const = 0;

  // A name for messages: a path, a URL.
  [[nodiscard]] virtual std::string name() const = 0;

  // Returns a text that identifies the current version: as long as it is the same, all bytes that
  // were read are of one version. A digest; a URL with the server's validator; for a local file its
  // device, inode, size and times. Empty if nobody else can change it. Never the state of a file
  // that only caches the bytes.
  [[nodiscard]] virtual Result<std::string> identity() const { return std::string(); }

  // Returns where byte 0 lies in a local file; file is null if it does not lie in one.
  [[nodiscard]] virtual FileRange in_file() const { return {}; }

  // Returns further functions of a Source whose bytes are fetched from a server (io/far_away.h);
  // null if they are local. Owned by the Source.
  [[nodiscard]] virtual const FarAway* far_away() const { return nullptr; }
};

using SourcePtr = std::shared_ptr<const Source>;

// Returns Source::identity() of a local file.
[[nodiscard]] Result<std::string> identity_of(const File& file);

// Fills `into`, or returns kCorrupt with the offset at which the Source ended.
[[nodiscard]] Result<void> read_exactly(const Source& source, std::uint64_t offset,
                                        std::span<std::byte> into);

// Reads `range` in order, up to buffer.size() bytes at a time, and passes each piece to `take`.
// `buffer` is not empty. Ends with the first error; a Source that ends early is one, as in
// read_exactly.
Result<void> read_in_pieces(const Source& source, ByteRange range, std::span<std::byte> buffer,
                            const std::function<Result<void>(std::span<const std::byte>)>& take);

// Returns kLocalIo if it is not a regular file.
Result<void> check_regular(const struct stat& status, const std::string& path);

// A file as a Source. Owns the File.
class FileSource final : public Source {
 public:
  // Opens a regular file with its current size; anything else is kLocalIo. Waits for leases
  // (io/lease.h) until `cancel` is requested; both pointers may be null.
  static Result<std::shared_ptr<const FileSource>> open(const std::string& path,
                                                        Counters* counters = nullptr,
                                                        const CancelToken* cancel = nullptr);
  FileSource(File file, std::uint64_t size) : FileSource(std::move(file), size, {}) {}
  // `name` is for messages; empty: the path.
  FileSource(File file, std::uint64_t size, std::string name)
      : file_(std::move(file)), size_(size), name_(std::move(name)) {}

  [[nodiscard]] const File& file() const { return file_; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            Caching caching) const override;
  [[nodiscard]] std::string name() const override { return name_.empty() ? file_.path() : name_; }
  [[nodiscard]] Result<std::string> identity() const override { return identity_of(file_); }
  [[nodiscard]] FileRange in_file() const override { return {&file_, 0}; }

 private:
  File file_;
  std::uint64_t size_;
  std::string name_;
};

// A file as a Source. Somebody else owns the File, which outlives it.
class BorrowedFileSource final : public Source {
 public:
  BorrowedFileSource(const File& file, std::uint64_t size) : file_(file), size_(size) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            Caching caching) const override;
  [[nodiscard]] std::string name() const override { return file_.path(); }
  [[nodiscard]] Result<std::string> identity() const override { return identity_of(file_); }
  [[nodiscard]] FileRange in_file() const override { return {&file_, 0}; }

 private:
  const File& file_;
  std::uint64_t size_;
};

class MemorySource final : public Source {
 public:
  explicit MemorySource(std::vector<std::byte> bytes, std::string name = "(memory)")
      : bytes_(std::move(bytes)), name_(std::move(name)) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            Caching caching) const override;
  [[nodiscard]] std::string name() const override { return name_; }

 private:
  std::vector<std::byte> bytes_;
  std::string name_;
};

// Buffers a Source for many small reads that go mostly forward. One thread; the Source is not owned
// and outlives it.
class BufferedReader {
 public:
  explicit BufferedReader(const Source& source, std::size_t buffer_size = 64 * 1024);

  // Returns `size` bytes at `offset`, valid until the next call; `size` is at most the buffer's.
  // Returns kCorrupt if the Source ends before.
  [[nodiscard]] Result<std::span<const std::byte>> view(std::uint64_t offset, std::size_t size);
  [[nodiscard]] const Source& source() const { return source_; }

 private:
  const Source& source_;
  std::vector<std::byte> buffer_;
  ByteRange held_;
};

}  // namespace shunt::io
