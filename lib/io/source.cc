#include "shunt/io/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "shunt/io/lease.h"

namespace shunt::io {
namespace {

Error ended_early(const Source& source, std::uint64_t offset) {
  Error error = corrupt("the input ends too early", offset);
  error.path = source.name();
  return error;
}

Result<std::size_t> read_within(const File& file, std::uint64_t size, std::uint64_t offset,
                                std::span<std::byte> into, Caching caching) {
  if (offset >= size) return std::size_t{0};
  return file.read_at(
      offset,
      into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size - offset))),
      caching);
}

}  // namespace

Result<std::string> identity_of(const File& file) {
  SHUNT_ASSIGN(const struct stat status, file.status());
  return fmt::format("file {}:{} {} bytes, {}.{:09}, {}.{:09}", status.st_dev, status.st_ino,
                     status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

Result<void> read_exactly(const Source& source, std::uint64_t offset, std::span<std::byte> into) {
  SHUNT_ASSIGN(const std::size_t got, source.read_at(offset, into));
  if (got < into.size()) return ended_early(source, offset + got);
  return {};
}

Result<void> read_in_pieces(const Source& source, ByteRange range, std::span<std::byte> buffer,
                            const std::function<Result<void>(std::span<const std::byte>)>& take) {
  while (!range.empty()) {
    const auto piece = buffer.first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.size())));
    SHUNT_TRY(read_exactly(source, range.begin, piece));
    SHUNT_TRY(take(piece));
    range.begin += piece.size();
  }
  return {};
}

Result<void> check_regular(const struct stat& status, const std::string& path) {
  if (S_ISREG(status.st_mode)) return {};
  if (S_ISDIR(status.st_mode)) return system_error(EISDIR, path, "open");
  Error error = system_error(EINVAL, path, "open");
  error.reason = "not a regular file";
  if (!S_ISBLK(status.st_mode)) error.hint = "to read a pipe, pass it as standard input, with -";
  return error;
}

Result<std::shared_ptr<const FileSource>> FileSource::open(const std::string& path,
                                                           Counters* counters,
                                                           const CancelToken* cancel) {
  SHUNT_ASSIGN(File file,
               open_past_lease(path, cancel, [&] { return File::open_to_read(path, counters); }));
  SHUNT_ASSIGN(const struct stat status, file.status());
  SHUNT_TRY(check_regular(status, path));
  return std::make_shared<const FileSource>(std::move(file),
                                            static_cast<std::uint64_t>(status.st_size));
}

Result<std::size_t> FileSource::read_at(std::uint64_t offset, std::span<std::byte> into,
                                        Caching caching) const {
  return read_within(file_, size_, offset, into, caching);
}

Result<std::size_t> BorrowedFileSource::read_at(std::uint64_t offset, std::span<std::byte> into,
                                                Caching caching) const {
  return read_within(file_, size_, offset, into, caching);
}

Result<std::size_t> MemorySource::read_at(std::uint64_t offset, std::span<std::byte> into,
                                          Caching /*caching*/) const {
  if (offset >= bytes_.size()) return std::size_t{0};
  const std::size_t size = std::min(into.size(), bytes_.size() - static_cast<std::size_t>(offset));
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), size, into.begin());
  return size;
}

BufferedReader::BufferedReader(const Source& source, std::size_t buffer_size)
    : source_(source), buffer_(buffer_size) {}

Result<std::span<const std::byte>> BufferedReader::view(std::uint64_t offset, std::size_t size) {
  const ByteRange wanted = ByteRange::of(offset, size);
  if (!held_.contains(wanted)) {
    // A single read fetches little, so that skipping over large boxes is cheap; sequential reads
    // fetch whole buffers.
    const bool forward = held_.begin <= offset && offset <= held_.end;
    const std::size_t amount = forward ? buffer_.size() : std::max<std::size_t>(size, 4096);
    const std::size_t capped = std::min(amount, buffer_.size());
    SHUNT_ASSIGN(const std::size_t got, source_.read_at(offset, std::span(buffer_).first(capped)));
    held_ = ByteRange::of(offset, got);
    if (got < size) return ended_early(source_, offset + got);
  }
  return std::span<const std::byte>(buffer_).subspan(static_cast<std::size_t>(offset - held_.begin),
                                                     size);
}

}  // namespace shunt::io
