#include "shunt/io/kernel.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace shunt::io {

ssize_t Kernel::pread(int fd, void* data, std::size_t size, off_t offset, int rwf_flags) {
  if (rwf_flags == 0) return ::pread(fd, data, size, offset);
  const iovec vector{data, size};
  return ::preadv2(fd, &vector, 1, offset, rwf_flags);
}

ssize_t Kernel::read(int fd, void* data, std::size_t size) {
  return ::read(fd, data, size);
}

int Kernel::open(const char* path, int flags, mode_t mode) {
  return open_at(AT_FDCWD, path, flags, mode);
}

int Kernel::open_at(int directory, const char* name, int flags, mode_t mode) {
  return ::openat(directory, name, flags, mode);
}

int Kernel::close(int fd) {
  return ::close(fd);
}

ssize_t Kernel::pwrite(int fd, const void* data, std::size_t size, off_t offset, int rwf_flags) {
  if (rwf_flags == 0) return ::pwrite(fd, data, size, offset);
  const iovec vector{const_cast<void*>(data), size};
  return ::pwritev2(fd, &vector, 1, offset, rwf_flags);
}

ssize_t Kernel::write(int fd, const void* data, std::size_t size) {
  return ::write(fd, data, size);
}

ssize_t Kernel::writev(int fd, const struct iovec* parts, int count) {
  return ::writev(fd, parts, count);
}

ssize_t Kernel::send(int fd, const struct iovec* parts, int count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t Kernel::vmsplice(int fd, const void* data, std::size_t size) {
  const iovec part{const_cast<void*>(data), size};
  return ::vmsplice(fd, &part, 1, SPLICE_F_NONBLOCK);
}

int Kernel::ftruncate(int fd, off_t size) {
  return ::ftruncate(fd, size);
}

int Kernel::fallocate(int fd, int mode, off_t offset, off_t size) {
  return ::fallocate(fd, mode, offset, size);
}

int Kernel::fsync(int fd) {
  return ::fsync(fd);
}

int Kernel::fdatasync(int fd) {
  return ::fdatasync(fd);
}

int Kernel::syncfs(int fd) {
  return ::syncfs(fd);
}

void Kernel::sync() {
  ::sync();
}

int Kernel::sync_file_range(int fd, off_t offset, off_t size, unsigned flags) {
  return ::sync_file_range(fd, offset, size, flags);
}

ssize_t Kernel::copy_file_range(int from, off_t* from_offset, int to, off_t* to_offset,
                                std::size_t size) {
  return ::copy_file_range(from, from_offset, to, to_offset, size, 0);
}

ssize_t Kernel::splice(int from, off_t* from_offset, int to, std::size_t size) {
  return ::splice(from, from_offset, to, nullptr, size, SPLICE_F_MOVE | SPLICE_F_MORE);
}

ssize_t Kernel::sendfile(int to, int from, off_t* from_offset, std::size_t size) {
  return ::sendfile(to, from, from_offset, size);
}

int Kernel::clone_range(int from, std::uint64_t from_offset, std::uint64_t size, int to,
                        std::uint64_t to_offset) {
  file_clone_range range{};
  range.src_fd = from;
  range.src_offset = from_offset;
  range.src_length = size;
  range.dest_offset = to_offset;
  return ::ioctl(to, FICLONERANGE, &range);
}

int Kernel::rename(const char* from, const char* to) {
  return rename_at(AT_FDCWD, from, to);
}

int Kernel::rename_no_replace(const char* from, const char* to) {
  return rename_no_replace_at(AT_FDCWD, from, to);
}

int Kernel::unlink(const char* path) {
  return unlink_at(AT_FDCWD, path);
}

int Kernel::rename_at(int directory, const char* from, const char* to) {
  return ::renameat(directory, from, directory, to);
}

int Kernel::rename_no_replace_at(int directory, const char* from, const char* to) {
  if (::renameat2(directory, from, directory, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  // For file systems without it (NFS, many FUSE): link(2) fails if the name exists.
  if (::linkat(directory, from, directory, to, 0) == 0) return ::unlinkat(directory, from, 0);
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return -1;
  // For file systems without links too (FAT): check, then rename.
  if (::faccessat(directory, to, F_OK, 0) == 0) {
    errno = EEXIST;
    return -1;
  }
  return ::renameat(directory, from, directory, to);
}

int Kernel::unlink_at(int directory, const char* name) {
  return ::unlinkat(directory, name, 0);
}

int Kernel::link_unnamed(int fd, int directory, const char* name) {
  const std::string own = "/proc/self/fd/" + std::to_string(fd);
  return ::linkat(AT_FDCWD, own.c_str(), directory, name, AT_SYMLINK_FOLLOW);
}

int Kernel::mkdir(const char* path, mode_t mode) {
  return ::mkdir(path, mode);
}

int Kernel::rmdir(const char* path) {
  return ::rmdir(path);
}

int Kernel::mkfifo(const char* path, mode_t mode) {
  return ::mkfifo(path, mode);
}

int Kernel::make_temporary_folder(char* path) {
  return ::mkdtemp(path) == nullptr ? -1 : 0;
}

int Kernel::make_temporary_file(char* path, int flags) {
  return ::mkostemp(path, flags);
}

int Kernel::fchmod(int fd, mode_t mode) {
  return ::fchmod(fd, mode);
}

int Kernel::fchown(int fd, uid_t owner, gid_t group) {
  return ::fchown(fd, owner, group);
}

int Kernel::futimens(int fd, const struct timespec times[2]) {
  return ::futimens(fd, times);
}

int Kernel::fsetxattr(int fd, const char* name, const void* value, std::size_t size) {
  return ::fsetxattr(fd, name, value, size, 0);
}

int Kernel::fremovexattr(int fd, const char* name) {
  return ::fremovexattr(fd, name);
}

int Kernel::set_inode_flags(int fd, int flags) {
  return ::ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

int Kernel::set_extended_flags(int fd, const struct fsxattr& flags) {
  return ::ioctl(fd, FS_IOC_FSSETXATTR, &flags);
}

namespace {

Kernel* real_kernel() {
  static Kernel instance;
  return &instance;
}

Kernel* current = nullptr;

}  // namespace

Kernel& kernel() {
  return current != nullptr ? *current : *real_kernel();
}

KernelOverride::KernelOverride(Kernel* replacement) : previous_(current) {
  current = replacement;
}

KernelOverride::~KernelOverride() {
  current = previous_;
}

}  // namespace shunt::io
