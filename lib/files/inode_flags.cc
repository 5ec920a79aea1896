#include "shunt/files/inode_flags.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "shunt/io/kernel.h"

namespace shunt::files {
namespace {

// Flags that users set on a file and that do not prevent writing.
constexpr std::uint32_t kKept = FS_SECRM_FL | FS_UNRM_FL | FS_COMPR_FL | FS_SYNC_FL | FS_NODUMP_FL |
                                FS_NOATIME_FL | FS_NOCOMP_FL | FS_JOURNAL_DATA_FL | FS_NOTAIL_FL |
                                FS_NOCOW_FL | FS_DAX_FL;
constexpr std::uint32_t kExtendedKept = FS_XFLAG_REALTIME | FS_XFLAG_SYNC | FS_XFLAG_NOATIME |
                                        FS_XFLAG_NODUMP | FS_XFLAG_EXTSIZE | FS_XFLAG_NODEFRAG |
                                        FS_XFLAG_FILESTREAM | FS_XFLAG_DAX | FS_XFLAG_COWEXTSIZE;

Error not_kept(const io::File& file, int number) {
  Error error = system_error(number, file.path(), "keep the inode flags");
  error.code = ErrorCode::kUnsuitable;
  return error;
}

}  // namespace

InodeFlags InodeFlags::of(const io::File& file) {
  InodeFlags found;
  int flags = 0;
  if (::ioctl(file.fd(), FS_IOC_GETFLAGS, &flags) == 0) {
    found.has_flags = true;
    found.flags = static_cast<std::uint32_t>(flags) & kKept;
  }
  struct fsxattr extended {};
  if (::ioctl(file.fd(), FS_IOC_FSGETXATTR, &extended) == 0) {
    found.has_extended = true;
    found.extended = extended.fsx_xflags & kExtendedKept;
    // Without the flag, the number was inherited from a directory and means nothing.
    if ((found.extended & FS_XFLAG_EXTSIZE) != 0) found.extent_size = extended.fsx_extsize;
    if ((found.extended & FS_XFLAG_COWEXTSIZE) != 0) {
      found.cow_extent_size = extended.fsx_cowextsize;
    }
    found.project = extended.fsx_projid;
  }
  return found;
}

Result<void> InodeFlags::apply_to(io::File& file) const {
  struct fsxattr now {};
  if (has_extended && ::ioctl(file.fd(), FS_IOC_FSGETXATTR, &now) == 0) {
    InodeFlags own = of(file);
    own.has_flags = has_flags;
    own.flags = flags;
    if (!(own == *this)) {
      now.fsx_xflags = (now.fsx_xflags & ~kExtendedKept) | extended;
      now.fsx_extsize = extent_size;
      now.fsx_cowextsize = cow_extent_size;
      now.fsx_projid = project;
      if (io::kernel().set_extended_flags(file.fd(), now) != 0) return not_kept(file, errno);
    }
  }
  int all = 0;
  if (has_flags && ::ioctl(file.fd(), FS_IOC_GETFLAGS, &all) == 0) {
    const auto before = static_cast<std::uint32_t>(all);
    const std::uint32_t wanted = (before & ~kKept) | flags;
    if (wanted != before &&
        io::kernel().set_inode_flags(file.fd(), static_cast<int>(wanted)) != 0) {
      return not_kept(file, errno);
    }
  }
  return {};
}

std::optional<std::uint32_t> inherited_project(const io::File& directory) {
  struct fsxattr extended {};
  if (::ioctl(directory.fd(), FS_IOC_FSGETXATTR, &extended) != 0) return std::nullopt;
  if ((extended.fsx_xflags & FS_XFLAG_PROJINHERIT) == 0) return std::nullopt;
  return extended.fsx_projid;
}

}  // namespace shunt::files
