// What the tests of the cache share: directories, blobs, scripted servers, other processes.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "shunt/cache/cache.h"
#include "shunt/cache/cached_source.h"
#include "shunt/cache/entry.h"
#include "shunt/io/kernel.h"
#include "support/catch.h"
#include "support/scripted_origin.h"
#include "support/temp_dir.h"

namespace shunt::cache {

using test::OriginScript;
using test::ScriptedOrigin;

inline constexpr std::uint64_t kBlock = kDefaultBlockSize;

inline blob::Info url_info(std::uint64_t size) {
  blob::Info info;
  info.name = "http://127.0.0.1/blob";
  info.validator = "\"v1\"";
  info.size = size;
  return info;
}

inline blob::Info digest_info(std::uint64_t seed, std::uint64_t size) {
  blob::Info info;
  info.name = "docker://127.0.0.1/image";
  info.digest = test::noise_digest(seed, size);
  info.size = size;
  return info;
}

inline std::shared_ptr<Cache> open_cache(const std::string& directory, std::uint64_t budget = 0) {
  auto cache = Cache::open(directory, budget);
  if (!cache) throw std::runtime_error(cache.error().describe());
  return *cache;
}

inline std::string key_of(const blob::Info& info) {
  return info.digest.empty() ? key_of_url(info.name) : key_of_digest(info.digest);
}

inline std::shared_ptr<Entry> open_entry(Cache& cache, const blob::Info& info) {
  auto entry =
      cache.find_or_create(key_of(info), info.digest.empty() ? info.name : info.digest, info);
  if (!entry) throw std::runtime_error(entry.error().describe());
  return *entry;
}

// Returns the sum for a seal on all current records.
inline std::uint64_t seal_sum(const Entry& entry) {
  SealSum sum;
  const BlockRun all{0, entry.blocks()};
  for (const BlockRecord& record : Entry::read_records(entry.item().file(), entry.header(), all)) {
    sum.add(record.checksum);
  }
  return sum.value();
}

inline std::string entry_path(const std::string& directory, const blob::Info& info) {
  return directory + "/blobs/" + key_of(info);
}

// One blob, one server, one Source.
struct Rig {
  Rig(std::shared_ptr<BlockStore> to, const blob::Info& info, const OriginScript& script = {},
      const SourceOptions& options = {})
      : seed(script.seed),
        store(std::move(to)),
        origin(std::make_shared<ScriptedOrigin>(info, script)),
        source(std::make_unique<CachedSource>(store, origin, info, options)) {}

  std::uint64_t seed;
  std::shared_ptr<BlockStore> store;
  std::shared_ptr<ScriptedOrigin> origin;
  std::unique_ptr<CachedSource> source;
};

// A blob of a URL, and a cache on disk for it.
struct Disk {
  explicit Disk(const blob::Info& of, std::uint64_t budget = 0)
      : info(of), cache(open_cache(directory.path(), budget)) {}

  test::TempDir directory;
  blob::Info info;
  std::shared_ptr<Cache> cache;

  [[nodiscard]] Rig rig(const OriginScript& script = {}, const SourceOptions& options = {}) const {
    return {open_entry(*cache, info), info, script, options};
  }
};

inline Error network_error(const std::string& reason) {
  Error error;
  error.code = ErrorCode::kNetwork;
  error.reason = reason;
  return error;
}

// A disk that is full from a moment on.
class FullDisk final : public io::Kernel {
 public:
  explicit FullDisk(std::uint64_t room) : room_(room) {}
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int flags) override {
    const std::uint64_t used = used_.fetch_add(size);
    if (used + size > room_) {
      errno = ENOSPC;
      return -1;
    }
    return io::Kernel::pwrite(fd, data, size, offset, flags);
  }

 private:
  const std::uint64_t room_;
  std::atomic<std::uint64_t> used_{0};
};

enum class Read { kRight, kWrong, kError };

inline Read read_and_compare(const CachedSource& source, std::uint64_t seed, std::uint64_t offset,
                             std::size_t size) {
  std::vector<std::byte> bytes(size);
  const auto got = source.read_at(offset, bytes, io::Caching::kKeep);
  if (!got) return Read::kError;
  const std::uint64_t expected = std::min<std::uint64_t>(size, source.size() - offset);
  if (*got != expected) return Read::kWrong;
  bytes.resize(*got);
  return test::is_noise(seed, offset, bytes) ? Read::kRight : Read::kWrong;
}

// How many of `count` reads, of up to `longest` bytes anywhere in the blob, were not right.
inline int wrong_reads(const CachedSource& source, std::uint64_t seed, std::uint64_t longest,
                       int count, std::uint64_t randomness) {
  std::mt19937_64 random(randomness);
  int wrong = 0;
  for (int n = 0; n < count; ++n) {
    const std::uint64_t at = random() % source.size();
    const auto size = static_cast<std::size_t>(1 + random() % longest);
    wrong += read_and_compare(source, seed, at, size) != Read::kRight ? 1 : 0;
  }
  return wrong;
}

inline Read read_all(const CachedSource& source, std::uint64_t seed, std::size_t step = 100'000) {
  for (std::uint64_t at = 0; at < source.size(); at += step) {
    if (const Read read = read_and_compare(source, seed, at, step); read != Read::kRight) {
      return read;
    }
  }
  return Read::kRight;
}

inline std::vector<std::byte> noise(std::uint64_t seed, std::uint64_t offset, std::uint64_t size) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  test::fill_noise(seed, offset, bytes);
  return bytes;
}

// A value that forked processes share.
template <typename T>
class Shared {
 public:
  Shared() {
    void* const place =
        ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw std::bad_alloc();
    value_ = new (place) T{};
  }
  ~Shared() { ::munmap(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T& operator*() { return *value_; }
  T* operator->() { return value_; }
  T* get() { return value_; }

 private:
  T* value_;
};

// Runs `body` in a child; nothing of this process's threads is there. It must not throw.
inline pid_t fork_to(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int status = 99;
  try {
    status = body();
  } catch (...) {
  }
  ::_exit(status);
}

// The exit status, or minus the signal.
inline int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// Changes a file behind the cache's back.
inline void overwrite(const std::string& path, std::uint64_t offset,
                      std::span<const std::byte> bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool done =
      fd >= 0 && ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
                     static_cast<ssize_t>(bytes.size());
  if (fd >= 0) ::close(fd);
  if (!done) throw std::runtime_error("overwrite " + path);
}

inline std::vector<std::byte> bytes_at(const std::string& path, std::uint64_t offset,
                                       std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (io::File::open_to_read(path).value().read_at(offset, bytes).value() != size) {
    throw std::runtime_error("bytes_at " + path);
  }
  return bytes;
}

inline bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace shunt::cache
