#include "shunt/files/file_system.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#ifndef F2FS_SUPER_MAGIC
#define F2FS_SUPER_MAGIC 0xF2F52010
#endif
#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xFF534D42
#endif
#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xFE534D42
#endif
#ifndef NFS_SUPER_MAGIC
#define NFS_SUPER_MAGIC 0x6969
#endif
#ifndef BTRFS_SUPER_MAGIC
#define BTRFS_SUPER_MAGIC 0x9123683E
#endif
#ifndef TMPFS_MAGIC
#define TMPFS_MAGIC 0x01021994
#endif

namespace shunt::files {
namespace {

// ext4 has the same magic number as ext2 and ext3, whose files have no extents to insert.
bool has_extents(int fd) {
  int flags = 0;
  return ::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 || (flags & FS_EXTENT_FL) != 0;
}

// ext4 reserves blocks for root, and some (2 % of all, at most 4096) for itself. f_bavail excludes
// both, f_bfree includes both.
std::uint64_t free_for_root_of_ext4(const struct statfs& status) {
  const std::uint64_t own = std::min<std::uint64_t>(status.f_blocks / 40, 4096);
  const std::uint64_t free = std::max<std::uint64_t>(status.f_bfree, own) - own;
  return std::max<std::uint64_t>(free, status.f_bavail) *
         static_cast<std::uint64_t>(status.f_bsize);
}

// A bind mount of a single file, as in containers.
bool is_mounted(int fd) {
  struct statx status {};
  return ::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace

Result<FileSystem> FileSystem::of(const io::File& file) {
  return of(file.fd(), file.path());
}

Result<FileSystem> FileSystem::of(const Directory& directory) {
  return of(directory.fd(), directory.path_of("."));
}

Result<FileSystem> FileSystem::of(int fd, const std::string& path) {
  struct statfs status {};
  while (::fstatfs(fd, &status) != 0) {
    if (errno != EINTR) return system_error(errno, path, "look at the file system");
  }
  FileSystem result;
  result.is_mount_point = is_mounted(fd);
  result.block_size = status.f_bsize > 0 ? static_cast<std::uint64_t>(status.f_bsize) : 4096;
  result.free_bytes =
      static_cast<std::uint64_t>(status.f_bavail) *
      static_cast<std::uint64_t>(status.f_frsize > 0 ? status.f_frsize : status.f_bsize);
  switch (static_cast<std::uint32_t>(status.f_type)) {
    case EXT4_SUPER_MAGIC:
      result.name = "ext4";
      if (::geteuid() == 0) result.free_bytes = free_for_root_of_ext4(status);
      result.insert_range = has_extents(fd);
      break;
    case XFS_SUPER_MAGIC:
      result.name = "XFS";
      result.insert_range = result.clone_range = true;
      break;
    case F2FS_SUPER_MAGIC:
      result.name = "F2FS";
      break;
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
      result.name = "CIFS";
      result.in_kernel_copy_first = true;
      // f_bsize is the preferred transfer size; the server's files use its own block size.
      result.block_size = 4096;
      break;
    case BTRFS_SUPER_MAGIC:
      result.name = "btrfs";
      result.clone_range = result.copies_on_write = true;
      break;
    case NFS_SUPER_MAGIC:
      result.name = "NFS";
      result.in_kernel_copy_first = true;
      result.block_size = 4096;
      break;
    case TMPFS_MAGIC:
      result.name = "tmpfs";
      break;
    default:
      result.name = "other";
      break;
  }
  return result;
}

bool can_share(const Directory& directory, const io::File& file, std::uint64_t block) {
  Result<io::File> unnamed = directory.open(".", O_RDWR | O_TMPFILE, "create");
  if (!unnamed) return true;
  const Result<std::uint64_t> size = file.size();
  if (!size || *size == 0) return true;
  const Result<void> shared = unnamed->clone_from(file, {0, std::min(*size, block)}, 0);
  return shared || shared.error().code != ErrorCode::kUnsuitable;
}

}  // namespace shunt::files
