#include "write_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace shunt::test {
namespace {

constexpr std::uint64_t kPiece = 4096;

ino_t inode_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

// A name in an open directory as a path from the root.
std::string path_of(int directory, const char* name) {
  if (directory == AT_FDCWD) return name;
  std::error_code ignored;
  return (std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(directory), ignored) /
          name)
      .string();
}

}  // namespace

WriteLog::WriteLog(const std::string& target, Bytes original) {
  struct stat status {};
  if (::stat(target.c_str(), &status) != 0) ::abort();
  names_[target] = status.st_ino;
  contents_[status.st_ino] = std::move(original);
}

int WriteLog::open_at(int directory, const char* name, int flags, mode_t mode) {
  const int fd = Kernel::open_at(directory, name, flags, mode);
  if (fd >= 0 && (flags & O_CREAT) != 0) {
    changes_.push_back(
        {Change::Kind::kCreate, inode_of(fd), path_of(directory, name), {}, 0, 0, {}});
  }
  return fd;
}

ssize_t WriteLog::pwrite(int fd, const void* data, std::size_t size, off_t offset, int rwf_flags) {
  if (++writes_ == full_at) {
    errno = ENOSPC;
    return -1;
  }
  const ssize_t put = Kernel::pwrite(fd, data, size, offset, rwf_flags);
  if (put > 0) {
    const auto* const begin = static_cast<const std::byte*>(data);
    struct stat status {};
    if ((rwf_flags & RWF_APPEND) != 0 && ::fstat(fd, &status) == 0) offset = status.st_size - put;
    changes_.push_back({Change::Kind::kWrite,
                        inode_of(fd),
                        {},
                        {},
                        static_cast<std::uint64_t>(offset),
                        0,
                        Bytes(begin, begin + put)});
  }
  return put;
}

int WriteLog::ftruncate(int fd, off_t size) {
  const int result = Kernel::ftruncate(fd, size);
  if (result == 0) {
    changes_.push_back(
        {Change::Kind::kResize, inode_of(fd), {}, {}, 0, static_cast<std::uint64_t>(size), {}});
  }
  return result;
}

int WriteLog::fallocate(int fd, int mode, off_t offset, off_t size) {
  const int result = Kernel::fallocate(fd, mode, offset, size);
  if (result != 0) return result;
  const auto at = static_cast<std::uint64_t>(offset);
  const auto length = static_cast<std::uint64_t>(size);
  if (mode == 0) {
    changes_.push_back({Change::Kind::kResize, inode_of(fd), {}, {}, 0, at + length, {}});
  } else if ((mode & FALLOC_FL_PUNCH_HOLE) != 0) {
    changes_.push_back({Change::Kind::kZero, inode_of(fd), {}, {}, at, length, {}});
  } else {
    ::abort();  // moves extents, which is not for here
  }
  return result;
}

void WriteLog::note_sync(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) ::abort();
  const std::lock_guard lock(syncing_);
  const auto kind = S_ISDIR(status.st_mode) ? Change::Kind::kSyncNames : Change::Kind::kSync;
  changes_.push_back({kind, status.st_ino, {}, {}, 0, 0, {}});
}

int WriteLog::fsync(int fd) {
  note_sync(fd);
  return 0;
}

int WriteLog::fdatasync(int fd) {
  note_sync(fd);
  return 0;
}

int WriteLog::rename_no_replace_at(int directory, const char* from, const char* to) {
  const int result = Kernel::rename_no_replace_at(directory, from, to);
  if (result == 0) {
    changes_.push_back(
        {Change::Kind::kRename, 0, path_of(directory, from), path_of(directory, to), 0, 0, {}});
  }
  return result;
}

int WriteLog::unlink_at(int directory, const char* name) {
  const int result = Kernel::unlink_at(directory, name);
  if (result == 0) {
    changes_.push_back({Change::Kind::kUnlink, 0, path_of(directory, name), {}, 0, 0, {}});
  }
  return result;
}

void WriteLog::apply(const Change& change, Bytes& content) {
  switch (change.kind) {
    case Change::Kind::kWrite:
      content.resize(std::max<std::size_t>(content.size(), change.at + change.data.size()));
      std::copy(change.data.begin(), change.data.end(),
                content.begin() + static_cast<std::ptrdiff_t>(change.at));
      break;
    case Change::Kind::kResize:
      content.resize(change.size);
      break;
    case Change::Kind::kZero: {
      const std::size_t end = std::min<std::size_t>(content.size(), change.at + change.size);
      for (std::size_t i = change.at; i < end; ++i) content[i] = std::byte{0};
      break;
    }
    default:
      break;
  }
}

WriteLog::Files WriteLog::state(std::size_t count, std::mt19937& random) const {
  // How likely an unsynced piece is to be there: never, sometimes, always.
  const double likely = std::uniform_int_distribution(0, 4)(random) / 4.0;
  std::bernoulli_distribution kept(likely);

  std::map<std::string, ino_t> names = names_;
  std::size_t names_synced = 0;
  std::map<ino_t, std::size_t> synced;
  for (std::size_t i = 0; i < count; ++i) {
    if (changes_[i].kind == Change::Kind::kSyncNames) names_synced = i + 1;
    if (changes_[i].kind == Change::Kind::kSync) synced[changes_[i].inode] = i + 1;
  }
  const std::size_t names_until =
      std::uniform_int_distribution<std::size_t>(names_synced, count)(random);
  std::map<ino_t, Bytes> contents = contents_;
  for (std::size_t i = 0; i < count; ++i) {
    const Change& change = changes_[i];
    if (change.is_name()) {
      if (i >= names_until) continue;
      if (change.kind == Change::Kind::kCreate) names[change.path] = change.inode;
      if (change.kind == Change::Kind::kRename) {
        names[change.to] = names[change.path];
        names.erase(change.path);
      }
      if (change.kind == Change::Kind::kUnlink) names.erase(change.path);
      continue;
    }
    Bytes& content = contents[change.inode];
    if (i < synced[change.inode]) {
      apply(change, content);
    } else if (change.kind != Change::Kind::kWrite) {
      if (kept(random)) apply(change, content);
    } else {
      for (std::uint64_t from = 0; from < change.data.size();) {
        const std::uint64_t left = kPiece - (change.at + from) % kPiece;
        const auto size =
            static_cast<std::size_t>(std::min<std::uint64_t>(left, change.data.size() - from));
        if (kept(random)) {
          const auto begin = change.data.begin() + static_cast<std::ptrdiff_t>(from);
          apply({Change::Kind::kWrite,
                 change.inode,
                 {},
                 {},
                 change.at + from,
                 0,
                 Bytes(begin, begin + static_cast<std::ptrdiff_t>(size))},
                content);
        }
        from += size;
      }
    }
  }
  Files files;
  for (const auto& [path, inode] : names) files[path] = contents[inode];
  return files;
}

}  // namespace shunt::test
