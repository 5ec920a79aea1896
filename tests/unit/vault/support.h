// What the tests of the vault share: items in one line, other processes, and a Kernel that keeps a
// record and fails where it is told to.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/io/kernel.h"
#include "shunt/vault/vault.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::vault {

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::unique_ptr<Vault> open_vault(const std::string& directory, std::uint64_t budget = 0,
                                         Durability durability = Durability::kUnsynced) {
  auto vault = Vault::open(directory, Options{durability, budget});
  if (!vault) FAIL(vault.error().describe());
  return std::move(*vault);
}

inline Reservation reserve_with(Vault& vault, const std::string& name, std::string_view content) {
  auto reservation = vault.reserve(name);
  REQUIRE(reservation);
  REQUIRE(reservation->file().write_at(0, as_bytes(content)));
  return std::move(*reservation);
}

// Commits an item of `size` bytes, each of them `fill`; false when that fails.
inline bool put(Vault& vault, const std::string& name, std::size_t size, char fill = 'x') {
  auto reservation = vault.reserve(name);
  if (!reservation) return false;
  if (!reservation->file().write_at(0, as_bytes(std::string(size, fill)))) return false;
  return std::move(*reservation).commit().has_value();
}

inline std::string content(const io::File& file) {
  std::string text(file.size().value(), '\0');
  const auto got = file.read_at(0, std::as_writable_bytes(std::span(text.data(), text.size())));
  return got && *got == text.size() ? text : "(unreadable)";
}

inline bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

inline std::size_t hidden_files(const std::string& directory) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".new") ++count;
  }
  return count;
}

// Sets when an item was last used.
inline void set_used(const std::string& path, std::int64_t seconds) {
  const struct timespec times[2] = {{seconds, 0}, {seconds, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

inline std::vector<ItemStatus> items_of(const Vault& vault) {
  return vault.list().value();
}

inline std::uint64_t allocated(const Vault& vault) {
  std::uint64_t sum = 0;
  for (const ItemStatus& item : items_of(vault)) sum += item.allocated;
  return sum;
}

// A child process that does `work`, says so, and then lives until it is told to go.
class Child {
 public:
  explicit Child(const std::function<void()>& work) {
    int ready[2];
    int go[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(go) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    char byte = 'r';
    if (pid_ == 0) {
      ::close(ready[0]);
      ::close(go[1]);
      work_with(
          [&] {
            if (::write(ready[1], &byte, 1) == 1) (void)!::read(go[0], &byte, 1);
          },
          work);
      ::_exit(0);
    }
    ::close(ready[1]);
    ::close(go[0]);
    go_ = go[1];
    is_ready_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
  }
  ~Child() { finish(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] bool is_ready() const { return is_ready_; }
  void finish() { end(0); }
  void kill() { end(SIGKILL); }

  // Called by the work in the child, with whatever it holds still held.
  static void wait_for_end() { wait_(); }

 private:
  static void work_with(const std::function<void()>& wait, const std::function<void()>& work) {
    wait_ = wait;
    work();
  }
  void end(int signal) {
    if (pid_ <= 0) return;
    if (signal != 0) ::kill(pid_, signal);
    ::close(go_);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  static inline std::function<void()> wait_;
  pid_t pid_ = -1;
  int go_ = -1;
  bool is_ready_ = false;
};

// Counts the changing calls from 1, fails one of them, and remembers all: "fsync a", "rename a b",
// with the names of files without their directory and what is random.
class RecordingKernel final : public io::Kernel {
 public:
  explicit RecordingKernel(unsigned fail_at = 0, int number = EIO)
      : fail_at_(fail_at), number_(number) {}

  [[nodiscard]] const std::vector<std::string>& calls() const { return calls_; }
  std::function<void(const std::string&)> before;  // told of each call

  int open(const char* path, int flags, mode_t mode) override {
    if ((flags & O_CREAT) != 0 && fails("create " + short_name(path))) return -1;
    return Kernel::open(path, flags, mode);
  }
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int flags) override {
    if (fails("write " + name_of(fd))) return -1;
    return Kernel::pwrite(fd, data, size, offset, flags);
  }
  int fsync(int fd) override {
    if (fails("fsync " + name_of(fd))) return -1;
    return Kernel::fsync(fd);
  }
  int rename(const char* from, const char* to) override {
    if (fails("rename " + short_name(from) + " " + short_name(to))) return -1;
    return Kernel::rename(from, to);
  }
  int rename_no_replace(const char* from, const char* to) override {
    if (fails("rename " + short_name(from) + " " + short_name(to))) return -1;
    return Kernel::rename_no_replace(from, to);
  }
  int unlink(const char* path) override {
    if (fails("unlink " + short_name(path))) return -1;
    return Kernel::unlink(path);
  }
  int mkdir(const char* path, mode_t mode) override {
    if (fails("mkdir " + short_name(path))) return -1;
    return Kernel::mkdir(path, mode);
  }
  int futimens(int fd, const struct timespec times[2]) override {
    if (fails("touch " + name_of(fd))) return -1;
    return Kernel::futimens(fd, times);
  }

 private:
  static std::string short_name(const std::string& path) {
    std::string name = std::filesystem::path(path).filename().string();
    if (name.ends_with(".new") && name.size() > 21) name.erase(name.size() - 21, 17);
    return name;
  }
  static std::string name_of(int fd) {
    std::error_code ignored;
    const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), ignored);
    return std::filesystem::is_directory(path, ignored) ? "directory" : short_name(path.string());
  }
  bool fails(const std::string& call) {
    if (before) before(call);
    calls_.push_back(call);
    if (calls_.size() != fail_at_) return false;
    errno = number_;
    return true;
  }

  unsigned fail_at_;
  int number_;
  std::vector<std::string> calls_;
};

}  // namespace shunt::vault
