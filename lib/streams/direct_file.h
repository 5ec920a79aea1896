// Direct I/O (O_DIRECT) in whole blocks, bypassing the page cache: for large moves of bytes that
// nobody is about to read. Takes less processor time than cached I/O, and a write reaches the disk
// at once rather than at the next sync.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::streams {

// A second descriptor of a file. While it is open, no exclusive lease can be taken. Thread-safe.
class DirectFile {
 public:
  // Offsets, sizes and addresses are multiples of this.
  static constexpr std::size_t kAlignment = 4096;

  // Opens the file behind `file` once more, for reading and writing. Returns nullopt if the file
  // system has no direct I/O in units of kAlignment, or if the file cannot be opened at once.
  static std::optional<DirectFile> open(const io::File& file);

  // Returns true if a transfer of `data` at `offset` is aligned.
  [[nodiscard]] static bool is_aligned(std::uint64_t offset, std::span<const std::byte> data);

  // Like File::read_at and File::write_at, for aligned ranges within the file. Writes are not
  // durable until the file is synced.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const {
    return file_.read_at(offset, into);
  }
  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) {
    return file_.write_at(offset, data);
  }

 private:
  explicit DirectFile(io::File file) : file_(std::move(file)) {}

  io::File file_;
};

}  // namespace shunt::streams
