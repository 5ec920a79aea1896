// Random-access bytes: what every part of shunt reads from.
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

// The bytes of a Source that lie in a local file as they are, so that a realiser can hand them to
// the kernel instead of reading them.
struct FileRange {
  const File* file = nullptr;  // not owned; lives as long as the Source
  std::uint64_t begin = 0;
};

// Immutable while it is used. read_at may be called from several threads at once.
class Source {
 public:
  virtual ~Source() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;

  // Reads until `into` is full or the Source ends; returns how many bytes that were.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                                    Caching caching = Caching::kKeep) const = 0;

  // A name for messages: a path, a URL.
  [[nodiscard]] virtual std::string name() const = 0;

  // What tells whether this still is the same, asked now: as long as it gives the same text, all
  // bytes that were read are of one version. A digest; a URL and what its server calls the version;
  // of a local file its device, inode, size and times. Empty: nobody else can change it. Never the
  // state of a file that bytes of something else happen to be kept in.
  [[nodiscard]] virtual Result<std::string> identity() const { return std::string(); }

  // Where byte 0 of this Source lies in a local file; file is null when it does not.
  [[nodiscard]] virtual FileRange in_file() const { return {}; }

  // What else can be asked of a Source whose bytes have to come from far away (io/far_away.h);
  // owned by it. Null: they are here.
  [[nodiscard]] virtual const FarAway* far_away() const { return nullptr; }
};

using SourcePtr = std::shared_ptr<const Source>;

// Source::identity() of a local file.
[[nodiscard]] Result<std::string> identity_of(const File& file);

// Reads all of `into`, or fails with a kCorrupt error that names the place where the Source ended.
[[nodiscard]] Result<void> read_exactly(const Source& source, std::uint64_t offset,
                                        std::span<std::byte> into);

// Reads all of `range` in order, each time as much as `buffer` holds, which is not empty, and hands
// it to `take`. Ends with the first error, of which a Source that ends before `range` is one, as
// for read_exactly.
Result<void> read_in_pieces(const Source& source, ByteRange range, std::span<std::byte> buffer,
                            const std::function<Result<void>(std::span<const std::byte>)>& take);

// kLocalIo for what is no regular file, such as a folder or a pipe.
Result<void> check_regular(const struct stat& status, const std::string& path);

// A whole file, or a part of one. The File is owned.
class FileSource final : public Source {
 public:
  // A regular file as large as it is now. Anything else is a kLocalIo error. Waits for whoever has
  // a lease on it (io/lease.h), and asks `cancel` meanwhile.
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

// A file that somebody else owns and that outlives this view of it.
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

// Keeps a stretch of a Source at hand for many small reads that go mostly forward.
// For one thread; the Source is not owned.
class BufferedReader {
 public:
  explicit BufferedReader(const Source& source, std::size_t buffer_size = 64 * 1024);

  // `size` bytes at `offset`, valid until the next call; `size` is at most the buffer's. Fails with
  // kCorrupt when the Source ends before.
  [[nodiscard]] Result<std::span<const std::byte>> view(std::uint64_t offset, std::size_t size);
  [[nodiscard]] const Source& source() const { return source_; }

 private:
  const Source& source_;
  std::vector<std::byte> buffer_;
  ByteRange held_;
};

}  // namespace shunt::io
