#include "shunt/streams/direct_file.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace shunt::streams {
namespace {

bool fits(std::uint32_t alignment) {
  return alignment != 0 && DirectFile::kAlignment % alignment == 0;
}

// Kernels before 6.1 do not report the alignment; direct I/O is not used there.
bool has_direct_io(int fd) {
#ifdef STATX_DIOALIGN
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) != 0) return false;
  return (status.stx_mask & STATX_DIOALIGN) != 0 && fits(status.stx_dio_mem_align) &&
         fits(status.stx_dio_offset_align);
#else
  (void)fd;
  return false;
#endif
}

}  // namespace

std::optional<DirectFile> DirectFile::open(const io::File& file) {
  if (!has_direct_io(file.fd())) return std::nullopt;
  Result<io::File> direct = file.reopen(O_RDWR | O_DIRECT, "open for direct I/O");
  if (!direct) return std::nullopt;
  return DirectFile(std::move(*direct));
}

bool DirectFile::is_aligned(std::uint64_t offset, std::span<const std::byte> data) {
  const auto address = reinterpret_cast<std::uintptr_t>(data.data());
  return (offset | data.size() | address) % kAlignment == 0;
}

}  // namespace shunt::streams
