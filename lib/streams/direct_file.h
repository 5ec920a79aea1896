// Reads and writes of whole blocks past the page cache (O_DIRECT): for large moves of bytes that
// nobody else is about to read. They take less processor time than those through the page cache,
// and a write is under way on the disk while it lasts, not only once it is synced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::streams {

// A second descriptor of a file. While it is open, no lease that asks for a single opener can be
// had. Any thread may call any member, several at once too.
class DirectFile {
 public:
  // Offsets, sizes and addresses are multiples of this.
  static constexpr std::size_t kAlignment = 4096;

  // Opens the file behind `file` once more, for reading and writing. Returns nullopt if the file
  // system has no direct I/O in units of kAlignment, or if the file cannot be opened at once.
  static std::optional<DirectFile> open(const io::File& file);

  // Whether a transfer of these bytes at `offset` is aligned.
  [[nodiscard]] static bool is_aligned(std::uint64_t offset, std::span<const std::byte> data);

  // As File::read_at and File::write_at, for what is aligned and lies within the file. What was
  // written is not durable: the file has to be synced.
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
