// The seam to the operating system: every call that reads or writes a file, or that creates,
// changes or removes a name in a file system, except bind(2). Pipes to programs that shunt starts
// do not go through here.
//
// Production uses the real calls. A test installs an implementation that fails the n-th call, cuts
// it short, stops the process there, or records it. Functions keep the conventions of the calls
// they stand for: -1 and errno on failure, short counts, EINTR. Most are called only by lib/io,
// which handles these; a few (a splice, a rename without replacing, a mode or a time) are called by
// the room that needs them.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

struct fsxattr;  // linux/fs.h

namespace shunt::io {

class Kernel {
 public:
  virtual ~Kernel() = default;

  // Calls that change nothing.
  virtual ssize_t pread(int fd, void* data, std::size_t size, off_t offset, int rwf_flags);
  virtual ssize_t read(int fd, void* data, std::size_t size);

  // Calls that change something; fault tests count these.
  // open and open_at count only with O_CREAT or O_TMPFILE.
  virtual int open(const char* path, int flags, mode_t mode);
  virtual int open_at(int directory, const char* name, int flags, mode_t mode);
  virtual int close(int fd);
  virtual ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int rwf_flags);
  virtual ssize_t write(int fd, const void* data, std::size_t size);
  virtual ssize_t writev(int fd, const struct iovec* parts, int count);
  // Writes to a socket; never blocks and raises no signal.
  virtual ssize_t send(int fd, const struct iovec* parts, int count);
  // Without SPLICE_F_GIFT; never blocks.
  virtual ssize_t vmsplice(int fd, const void* data, std::size_t size);
  virtual int ftruncate(int fd, off_t size);
  virtual int fallocate(int fd, int mode, off_t offset, off_t size);
  virtual int fsync(int fd);
  virtual int fdatasync(int fd);
  virtual int syncfs(int fd);
  virtual void sync();
  virtual int sync_file_range(int fd, off_t offset, off_t size, unsigned flags);
  virtual ssize_t copy_file_range(int from, off_t* from_offset, int to, off_t* to_offset,
                                  std::size_t size);
  virtual ssize_t splice(int from, off_t* from_offset, int to, std::size_t size);
  virtual ssize_t sendfile(int to, int from, off_t* from_offset, std::size_t size);
  // ioctl(FICLONERANGE)
  virtual int clone_range(int from, std::uint64_t from_offset, std::uint64_t size, int to,
                          std::uint64_t to_offset);
  virtual int rename(const char* from, const char* to);
  virtual int rename_no_replace(const char* from, const char* to);
  virtual int unlink(const char* path);
  // The same within an open directory; the functions above are these with AT_FDCWD.
  virtual int rename_at(int directory, const char* from, const char* to);
  virtual int rename_no_replace_at(int directory, const char* from, const char* to);
  virtual int unlink_at(int directory, const char* name);
  // Gives the file behind `fd`, opened with O_TMPFILE, a name (linkat); EEXIST if the name exists.
  virtual int link_unnamed(int fd, int directory, const char* name);
  virtual int mkdir(const char* path, mode_t mode);
  virtual int rmdir(const char* path);
  virtual int mkfifo(const char* path, mode_t mode);
  // mkdtemp and mkostemp: they replace the six X at the end of `path`.
  virtual int make_temporary_folder(char* path);
  virtual int make_temporary_file(char* path, int flags);
  virtual int fchmod(int fd, mode_t mode);
  virtual int fchown(int fd, uid_t owner, gid_t group);
  virtual int futimens(int fd, const struct timespec times[2]);
  virtual int fsetxattr(int fd, const char* name, const void* value, std::size_t size);
  virtual int fremovexattr(int fd, const char* name);
  // ioctl(FS_IOC_SETFLAGS) and ioctl(FS_IOC_FSSETXATTR)
  virtual int set_inode_flags(int fd, int flags);
  virtual int set_extended_flags(int fd, const struct fsxattr& flags);
};

// The implementation in use. Only tests replace it, while no other thread runs.
[[nodiscard]] Kernel& kernel();

// Installs `replacement` (not owned; nullptr: the real calls) for its own lifetime.
class KernelOverride {
 public:
  explicit KernelOverride(Kernel* replacement);
  ~KernelOverride();
  KernelOverride(const KernelOverride&) = delete;
  KernelOverride& operator=(const KernelOverride&) = delete;

 private:
  Kernel* previous_;
};

}  // namespace shunt::io
