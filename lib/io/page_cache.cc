#include "shunt/io/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "shunt/base/checked.h"
#include "shunt/io/kernel.h"
#include "shunt/io/thread.h"

namespace shunt::io {
namespace {

// From this size on, several threads are worthwhile.
constexpr std::uint64_t kMuchCached = std::uint64_t{256} << 20;
constexpr std::uint64_t kMostThreads = 4;
constexpr std::uint64_t kSamples = 64;
constexpr std::uint64_t kSampleSize = std::uint64_t{64} << 10;

std::uint64_t page_size() {
  static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

ByteRange whole_pages(ByteRange range) {
  return {round_down(range.begin, page_size()), round_up(range.end, page_size())};
}

}  // namespace

void WriteBehind::wrote(ByteRange range) {
  if (range.begin != filling_.end || filling_.empty()) {
    if (!filling_.empty()) start_window();
    filling_ = range;
  } else {
    filling_.end = range.end;
  }
  if (filling_.size() >= kWindow) start_window();
}

void WriteBehind::start_window() {
  kernel().sync_file_range(file_.fd(), static_cast<off_t>(filling_.begin),
                           static_cast<off_t>(filling_.size()), SYNC_FILE_RANGE_WRITE);
  drop(in_flight_);
  in_flight_ = filling_;
  filling_ = {filling_.end, filling_.end};
}

void WriteBehind::drop(ByteRange range) {
  if (range.empty()) return;
  kernel().sync_file_range(
      file_.fd(), static_cast<off_t>(range.begin), static_cast<off_t>(range.size()),
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  const ByteRange pages = whole_pages(range);
  ::posix_fadvise(file_.fd(), static_cast<off_t>(pages.begin), static_cast<off_t>(pages.size()),
                  POSIX_FADV_DONTNEED);
}

void WriteBehind::finish() {
  drop(in_flight_);
  drop(filling_);
  in_flight_ = filling_ = {};
}

std::optional<std::uint64_t> cached_bytes(const File& file, ByteRange range) {
  const ByteRange pages = whole_pages(range);
  if (pages.empty()) return 0;
  const auto length = static_cast<std::size_t>(pages.size());
  void* const mapping =
      ::mmap(nullptr, length, PROT_READ, MAP_SHARED, file.fd(), static_cast<off_t>(pages.begin));
  if (mapping == MAP_FAILED) return std::nullopt;
  std::vector<unsigned char> resident(length / page_size());
  const int result = ::mincore(mapping, length, resident.data());
  ::munmap(mapping, length);
  if (result != 0) return std::nullopt;
  const auto pages_there =
      std::count_if(resident.begin(), resident.end(), [](unsigned char page) { return page & 1; });
  return static_cast<std::uint64_t>(pages_there) * page_size();
}

void start_writing(const File& file, ByteRange range) {
  kernel().sync_file_range(file.fd(), static_cast<off_t>(range.begin),
                           static_cast<off_t>(range.size()), SYNC_FILE_RANGE_WRITE);
}

void drop_cached(const File& file, ByteRange range) {
  const ByteRange pages = whole_pages(range);
  ::posix_fadvise(file.fd(), static_cast<off_t>(pages.begin), static_cast<off_t>(pages.size()),
                  POSIX_FADV_DONTNEED);
}

void drop_if_much_cached(const File& file, ByteRange range) {
  const std::uint64_t threads = std::min(kMostThreads, std::thread::hardware_concurrency() + 0UL);
  if (threads < 2 || range.size() < kMuchCached) return;
  // Checking every page would take as long as dropping some of them.
  const std::uint64_t distance = range.size() / kSamples;
  std::uint64_t cached = 0;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    cached +=
        cached_bytes(file, ByteRange::of(range.begin + i * distance, kSampleSize)).value_or(0);
  }
  if (range.size() / (kSamples * kSampleSize) * cached < kMuchCached) return;
  const std::uint64_t part = round_up(range.size() / threads, page_size());
  std::vector<Thread> others;
  for (std::uint64_t begin = range.begin + part; begin < range.end; begin += part) {
    const ByteRange own{begin, std::min(begin + part, range.end)};
    Result<Thread> other = Thread::start([&file, own]() -> Result<void> {
      drop_cached(file, own);
      return {};
    });
    // This only saves time: the kernel drops the rest.
    if (other) others.push_back(std::move(*other));
  }
  drop_cached(file, ByteRange::of(range.begin, part));
}

CachedPages::CachedPages(const File& file, ByteRange range)
    : file_(file),
      range_(whole_pages(range)),
      was_cached_(cached_bytes(file, range_).value_or(1) != 0) {
  // Otherwise read-ahead would fill the next range, which would then count as cached.
  ::posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_RANDOM);
}

CachedPages::~CachedPages() {
  if (was_cached_) return;
  ::posix_fadvise(file_.fd(), static_cast<off_t>(range_.begin), static_cast<off_t>(range_.size()),
                  POSIX_FADV_DONTNEED);
}

}  // namespace shunt::io
