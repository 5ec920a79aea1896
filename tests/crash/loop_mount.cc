#include "loop_mount.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace shunt::test {
namespace {

// XFS_IOC_GOINGDOWN, which ext4 knows as well.
constexpr unsigned long kShutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t kFlushLog = 1;
constexpr std::uint32_t kNoFlush = 2;

void run(const std::string& command) {
  if (std::system(command.c_str()) == 0) return;
  std::fprintf(stderr, "failed: %s\n", command.c_str());
  std::exit(2);
}

}  // namespace

bool LoopMount::possible(const std::string& kind) {
  return ::geteuid() == 0 && ::access("/dev/loop-control", W_OK) == 0 &&
         std::system(("command -v mkfs." + kind + " >/dev/null").c_str()) == 0;
}

LoopMount::LoopMount(const std::string& kind, const std::string& directory)
    : image_(directory + "/" + kind + ".img"), mount_point_(directory + "/" + kind) {
  const std::string size = kind == "ext4" ? "64M" : "320M";
  const std::string options = kind == "ext4"  ? "-q -F -b 4096"
                              : kind == "xfs" ? "-q -f -m reflink=1"
                                              : "-q -f";
  run("truncate -s " + size + " '" + image_ + "'");
  run("mkfs." + kind + " " + options + " '" + image_ + "' >/dev/null");
  if (::mkdir(mount_point_.c_str(), 0700) != 0 && errno != EEXIST) std::exit(2);
  mount();
}

LoopMount::~LoopMount() {
  unmount();
}

void LoopMount::mount() {
  run("mount -o loop '" + image_ + "' '" + mount_point_ + "'");
}

void LoopMount::unmount() {
  run("umount '" + mount_point_ + "'");
}

void LoopMount::remount() {
  unmount();
  mount();
}

void shut_down(const std::string& path, bool keep_log) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::uint32_t how = keep_log ? kFlushLog : kNoFlush;
  if (fd < 0 || ::ioctl(fd, kShutdown, &how) != 0) {
    std::perror("shut down");
    ::_exit(2);
  }
  ::close(fd);
}

}  // namespace shunt::test
