// A Kernel that goes wrong at the n-th call that changes something.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "shunt/io/kernel.h"

namespace shunt::test {

enum class Fault {
  kNone,        // only counts
  kKillBefore,  // SIGKILL instead of the call
  kKillAfter,   // the call, then SIGKILL
  kCutAfter,    // the call, then the power goes: see cut_power
  kEio,
  kEnospc,
  kShort,  // a write of half its bytes (at least one); other calls fail with EINTR once
};
[[nodiscard]] const char* name_of(Fault fault);

// Counts calls from 1. For one process; calls may come from several threads, in whatever order.
class FaultyKernel final : public io::Kernel {
 public:
  FaultyKernel(Fault fault, unsigned at) : fault_(fault), at_(at) {}

  [[nodiscard]] unsigned calls() const { return static_cast<unsigned>(names_.size()); }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  // What kCutAfter does instead of waiting for a real power cut. Must not return.
  std::function<void()> cut_power;
  // What another program does just before call number `other_at`, or before the next ones as long
  // as it returns false: it has to wait then. Nothing when that is 0.
  unsigned other_at = 0;
  std::function<bool()> other;

  // As a file system that cannot reserve space.
  bool reserves_no_space = false;

  int open_at(int directory, const char* name, int flags, mode_t mode) override;
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int rwf_flags) override;
  ssize_t write(int fd, const void* data, std::size_t size) override;
  ssize_t writev(int fd, const struct iovec* parts, int count) override;
  int ftruncate(int fd, off_t size) override;
  int fallocate(int fd, int mode, off_t offset, off_t size) override;
  int fsync(int fd) override;
  int fdatasync(int fd) override;
  ssize_t copy_file_range(int from, off_t* from_offset, int to, off_t* to_offset,
                          std::size_t size) override;
  int clone_range(int from, std::uint64_t from_offset, std::uint64_t size, int to,
                  std::uint64_t to_offset) override;
  int rename_at(int directory, const char* from, const char* to) override;
  int rename_no_replace_at(int directory, const char* from, const char* to) override;
  int unlink_at(int directory, const char* name) override;
  int link_unnamed(int fd, int directory, const char* name) override;
  int mkdir(const char* path, mode_t mode) override;
  int fchmod(int fd, mode_t mode) override;
  int futimens(int fd, const struct timespec times[2]) override;
  int fsetxattr(int fd, const char* name, const void* value, std::size_t size) override;
  int fremovexattr(int fd, const char* name) override;
  int set_inode_flags(int fd, int flags) override;
  int set_extended_flags(int fd, const struct fsxattr& flags) override;

 private:
  // Runs `call` with whatever has to go wrong around it. `shortened` runs it cut short.
  template <typename T>
  T with_fault(const char* name, const std::function<T()>& call,
               const std::function<T()>& shortened = nullptr);

  Fault fault_;
  unsigned at_;
  std::mutex mutex_;
  std::vector<std::string> names_;  // under the mutex while threads run
};

}  // namespace shunt::test
