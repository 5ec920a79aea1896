#include "faulty_kernel.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace shunt::test {

const char* name_of(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "none";
    case Fault::kKillBefore:
      return "kill-before";
    case Fault::kKillAfter:
      return "kill-after";
    case Fault::kCutAfter:
      return "cut-after";
    case Fault::kEio:
      return "EIO";
    case Fault::kEnospc:
      return "ENOSPC";
    case Fault::kShort:
      return "short";
  }
  return "";
}

template <typename T>
T FaultyKernel::with_fault(const char* name, const std::function<T()>& call,
                           const std::function<T()>& shortened) {
  bool is_the_one = false;
  {
    const std::lock_guard lock(mutex_);
    names_.emplace_back(name);
    if (calls() == other_at && !other()) ++other_at;
    is_the_one = calls() == at_;
  }
  if (!is_the_one) return call();
  const auto fail = [](int number) {
    errno = number;
    return T{-1};
  };
  switch (fault_) {
    case Fault::kNone:
      return call();
    case Fault::kKillBefore:
      ::raise(SIGKILL);
      break;
    case Fault::kKillAfter:
      (void)call();
      ::raise(SIGKILL);
      break;
    case Fault::kCutAfter:
      (void)call();
      cut_power();
      break;
    case Fault::kEio:
      return fail(EIO);
    case Fault::kEnospc:
      return fail(ENOSPC);
    case Fault::kShort:
      return shortened ? shortened() : fail(EINTR);
  }
  ::abort();
}

int FaultyKernel::open_at(int directory, const char* name, int flags, mode_t mode) {
  if ((flags & O_CREAT) == 0 && (flags & O_TMPFILE) != O_TMPFILE) {
    return Kernel::open_at(directory, name, flags, mode);
  }
  return with_fault<int>("open", [&] { return Kernel::open_at(directory, name, flags, mode); });
}

ssize_t FaultyKernel::pwrite(int fd, const void* data, std::size_t size, off_t offset,
                             int rwf_flags) {
  const auto of = [&](std::size_t amount) {
    return [=, this] { return Kernel::pwrite(fd, data, amount, offset, rwf_flags); };
  };
  return with_fault<ssize_t>("pwrite", of(size), of(std::max<std::size_t>(size / 2, 1)));
}

ssize_t FaultyKernel::write(int fd, const void* data, std::size_t size) {
  const auto of = [&](std::size_t amount) {
    return [=, this] { return Kernel::write(fd, data, amount); };
  };
  return with_fault<ssize_t>("write", of(size), of(std::max<std::size_t>(size / 2, 1)));
}

ssize_t FaultyKernel::writev(int fd, const struct iovec* parts, int count) {
  const auto of = [&](int amount) {
    return [=, this] { return Kernel::writev(fd, parts, amount); };
  };
  return with_fault<ssize_t>("writev", of(count), of(std::max(count / 2, 1)));
}

int FaultyKernel::ftruncate(int fd, off_t size) {
  return with_fault<int>("ftruncate", [&] { return Kernel::ftruncate(fd, size); });
}

int FaultyKernel::fallocate(int fd, int mode, off_t offset, off_t size) {
  if (mode == 0 && reserves_no_space) {
    errno = EOPNOTSUPP;
    return -1;
  }
  const char* const name = (mode & FALLOC_FL_INSERT_RANGE) != 0     ? "insert"
                           : (mode & FALLOC_FL_COLLAPSE_RANGE) != 0 ? "collapse"
                           : (mode & FALLOC_FL_PUNCH_HOLE) != 0     ? "punch"
                                                                    : "allocate";
  return with_fault<int>(name, [&] { return Kernel::fallocate(fd, mode, offset, size); });
}

int FaultyKernel::fsync(int fd) {
  return with_fault<int>("fsync", [&] { return Kernel::fsync(fd); });
}

int FaultyKernel::fdatasync(int fd) {
  return with_fault<int>("fdatasync", [&] { return Kernel::fdatasync(fd); });
}

ssize_t FaultyKernel::copy_file_range(int from, off_t* from_offset, int to, off_t* to_offset,
                                      std::size_t size) {
  const auto of = [&](std::size_t amount) {
    return [=, this] { return Kernel::copy_file_range(from, from_offset, to, to_offset, amount); };
  };
  return with_fault<ssize_t>("copy_file_range", of(size), of(std::max<std::size_t>(size / 2, 1)));
}

int FaultyKernel::clone_range(int from, std::uint64_t from_offset, std::uint64_t size, int to,
                              std::uint64_t to_offset) {
  return with_fault<int>(
      "clone", [&] { return Kernel::clone_range(from, from_offset, size, to, to_offset); });
}

int FaultyKernel::rename_at(int directory, const char* from, const char* to) {
  return with_fault<int>("rename", [&] { return Kernel::rename_at(directory, from, to); });
}

int FaultyKernel::rename_no_replace_at(int directory, const char* from, const char* to) {
  return with_fault<int>("rename",
                         [&] { return Kernel::rename_no_replace_at(directory, from, to); });
}

int FaultyKernel::unlink_at(int directory, const char* name) {
  return with_fault<int>("unlink", [&] { return Kernel::unlink_at(directory, name); });
}

int FaultyKernel::link_unnamed(int fd, int directory, const char* name) {
  return with_fault<int>("link", [&] { return Kernel::link_unnamed(fd, directory, name); });
}

int FaultyKernel::mkdir(const char* path, mode_t mode) {
  return with_fault<int>("mkdir", [&] { return Kernel::mkdir(path, mode); });
}

int FaultyKernel::fchmod(int fd, mode_t mode) {
  return with_fault<int>("fchmod", [&] { return Kernel::fchmod(fd, mode); });
}

int FaultyKernel::futimens(int fd, const struct timespec times[2]) {
  return with_fault<int>("futimens", [&] { return Kernel::futimens(fd, times); });
}

int FaultyKernel::fsetxattr(int fd, const char* name, const void* value, std::size_t size) {
  return with_fault<int>("fsetxattr", [&] { return Kernel::fsetxattr(fd, name, value, size); });
}

int FaultyKernel::fremovexattr(int fd, const char* name) {
  return with_fault<int>("fremovexattr", [&] { return Kernel::fremovexattr(fd, name); });
}

int FaultyKernel::set_inode_flags(int fd, int flags) {
  return with_fault<int>("set flags", [&] { return Kernel::set_inode_flags(fd, flags); });
}

int FaultyKernel::set_extended_flags(int fd, const struct fsxattr& flags) {
  return with_fault<int>("set flags", [&] { return Kernel::set_extended_flags(fd, flags); });
}

}  // namespace shunt::test
