#include "shunt/in_place/gap_stamp.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <span>
#include <vector>

namespace shunt::in_place {
namespace {

constexpr std::uint64_t kLookAt = std::uint64_t{1} << 20;

using Stamp = std::array<std::byte, kStampSize>;

Stamp bytes_of(std::uint64_t stamp) {
  static_assert(sizeof stamp == kStampSize);
  Stamp bytes{};
  std::memcpy(bytes.data(), &stamp, sizeof stamp);
  return bytes;
}

Result<bool> is_zero(const io::File& file, ByteRange range) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(range.size(), kLookAt)));
  for (std::uint64_t at = range.begin; at < range.end;) {
    const auto part = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.end - at)));
    SHUNT_ASSIGN(const std::size_t got, file.read_at(at, part));
    if (got < part.size()) return false;
    if (std::ranges::any_of(part, [](std::byte byte) { return byte != std::byte{0}; })) {
      return false;
    }
    at += got;
  }
  return true;
}

}  // namespace

std::uint64_t new_stamp() {
  std::random_device random;
  std::uint64_t stamp = 0;
  while (stamp == 0) stamp = std::uint64_t{random()} << 32 | random();
  return stamp;
}

Result<void> write_stamp(io::File& file, std::uint64_t at, std::uint64_t stamp) {
  return file.write_at(at, bytes_of(stamp));
}

Result<bool> has_stamp(const io::File& file, std::uint64_t at, std::uint64_t stamp) {
  Stamp found{};
  SHUNT_ASSIGN(const std::size_t got, file.read_at(at, found));
  return got == found.size() && found == bytes_of(stamp);
}

Result<void> append_space(io::File& file, std::uint64_t size, std::uint64_t stamp) {
  // One call; the zeros come from untouched memory, which is a single page.
  const auto length = static_cast<std::size_t>(size);
  void* const memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return system_error(errno, file.path(), "append");
  const std::span<std::byte> space(static_cast<std::byte*>(memory), length);
  std::ranges::copy(bytes_of(stamp), space.last(kStampSize).begin());
  const Result<void> appended = file.append(space);
  ::munmap(memory, length);
  return appended;
}

Result<std::optional<std::uint64_t>> find_space(const io::File& file, ByteRange within,
                                                std::uint64_t size, std::uint64_t stamp) {
  const Stamp wanted = bytes_of(stamp);
  std::vector<std::byte> buffer(static_cast<std::size_t>(kLookAt));
  for (std::uint64_t at = within.begin; at < within.end;) {
    const auto part = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), within.end - at)));
    SHUNT_ASSIGN(const std::size_t got, file.read_at(at, part));
    const auto read = part.first(got);
    const auto found = std::search(read.begin(), read.end(), wanted.begin(), wanted.end());
    if (found != read.end()) {
      const std::uint64_t stamp_at = at + static_cast<std::uint64_t>(found - read.begin());
      const std::uint64_t end = stamp_at + kStampSize;
      if (end < within.begin + size) break;
      SHUNT_ASSIGN(const bool whole, is_zero(file, {end - size, stamp_at}));
      return whole ? std::optional(end - size) : std::nullopt;
    }
    if (got < part.size() || at + got == within.end) break;
    at += got - (kStampSize - 1);  // the stamp may lie across the boundary
  }
  return std::optional<std::uint64_t>();
}

}  // namespace shunt::in_place
