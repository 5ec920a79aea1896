// A CachedSource against a server of its own: right bytes, each once, whatever the server does.
#include <algorithm>
#include <cerrno>
#include <mutex>
#include <thread>

#include "cache/cached_source.h"
#include "cache/memory_store.h"
#include "io/kernel.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSize = (std::uint64_t{12} << 20) + 4321;

Error network_error(const std::string& reason) {
  Error error;
  error.code = ErrorCode::kNetwork;
  error.reason = reason;
  return error;
}

// Adds up what came, byte by byte; asks whether each came once.
class Coverage {
 public:
  explicit Coverage(std::uint64_t size) : seen_(static_cast<std::size_t>(size)) {}
  void add(ByteRange range) {
    for (std::uint64_t at = range.begin; at < range.end; ++at) {
      ++seen_.at(static_cast<std::size_t>(at));
    }
  }
  [[nodiscard]] bool is_exactly(ByteRange range) const {
    for (std::size_t at = 0; at < seen_.size(); ++at) {
      if (seen_[at] != (range.contains(at) ? 1 : 0)) return false;
    }
    return true;
  }

 private:
  std::vector<std::uint8_t> seen_;
};

struct Disk {
  test::TempDir directory;
  std::shared_ptr<Cache> cache = open_cache(directory.path());
  remote::BlobInfo info = url_info(kSize);
  [[nodiscard]] Rig rig(const OriginScript& script = {}, const SourceOptions& options = {}) const {
    return {open_entry(*cache, info), info, script, options};
  }
};

TEST_CASE("cached source: many readers anywhere, each block once") {
  const Disk disk;
  OriginScript script;
  script.latency = 300us;
  script.says_latency = 0.01;  // so that several connections are worth it
  script.chunk = 50'000;
  const Rig rig = disk.rig(script);
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (unsigned i = 0; i < 8; ++i) {
    readers.emplace_back([&, i] {
      std::mt19937_64 random(i);
      for (int n = 0; n < 100; ++n) {
        const std::uint64_t at = random() % kSize;
        const std::size_t size = 1 + random() % 200'000;
        if (read_and_compare(*rig.source, 1, at, size) != Read::kRight) ++wrong;
      }
      if (read_all(*rig.source, 1, 300'001) != Read::kRight) ++wrong;
    });
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(rig.origin->bytes() == kSize);
  CHECK(rig.source->use().bytes_fetched == kSize);
  CHECK(rig.source->missing({0, kSize}).empty());
}

TEST_CASE("cached source: reading on needs few requests, and none when it is warm") {
  const Disk disk;
  {
    const Rig rig = disk.rig();
    CHECK(read_all(*rig.source, 1, 20'000) == Read::kRight);
    CHECK(rig.origin->bytes() == kSize);
    CHECK(rig.origin->requests().size() <= 30);  // of 301 blocks; how many depends on who is faster
    CHECK(read_all(*rig.source, 1) == Read::kRight);
    CHECK(rig.source->in_file().file != nullptr);
  }
  const Rig warm = disk.rig();
  CHECK(read_all(*warm.source, 1, 77'777) == Read::kRight);
  CHECK(warm.origin->requests().empty());
  CHECK(warm.source->use().bytes_fetched == 0);
  const io::FileRange file = warm.source->in_file();
  REQUIRE(file.file != nullptr);
  std::vector<std::byte> bytes(1000);
  CHECK(file.file->read_at(file.begin + 5000, bytes).value() == bytes.size());
  CHECK(test::is_noise(1, 5000, bytes));
}

TEST_CASE("cached source: a single read asks for its blocks, not for more") {
  const Disk disk;
  const Rig rig = disk.rig();
  CHECK(read_and_compare(*rig.source, 1, 5 * kBlock + 10, 100) == Read::kRight);
  CHECK(rig.origin->requests() == std::vector<ByteRange>{{5 * kBlock, 6 * kBlock}});
  CHECK(read_and_compare(*rig.source, 1, kSize - 5, 100) == Read::kRight);
  CHECK(read_and_compare(*rig.source, 1, kSize, 100) == Read::kRight);
  CHECK(read_and_compare(*rig.source, 1, kSize + 5, 0) == Read::kRight);
  CHECK(rig.origin->bytes() == kBlock + kSize % kBlock);
  CHECK(rig.source->in_file().file == nullptr);
  const std::vector<ByteRange> missing = rig.source->missing({5 * kBlock - 10, kSize});
  REQUIRE(missing.size() == 2);
  CHECK(missing[0] == ByteRange{5 * kBlock - 10, 5 * kBlock});
  CHECK(missing[1] == ByteRange{6 * kBlock, kSize - kSize % kBlock});
}

TEST_CASE("cached source: an error reaches the reader, and the next read tries again") {
  const Disk disk;
  OriginScript script;
  script.chunk = 30'000;
  script.fault = [](unsigned request, std::uint64_t offset) -> std::optional<Error> {
    if (request == 1 && offset >= 100'000) return network_error("reset");
    return std::nullopt;
  };
  const Rig rig = disk.rig(script);
  std::vector<std::byte> bytes(10 * kBlock);
  const auto first = rig.source->read_at(0, bytes, io::Caching::kKeep);
  REQUIRE_FALSE(first);
  CHECK(first.error().code == ErrorCode::kNetwork);
  CHECK(first.error().reason == "reset");
  CHECK(first.error().path == disk.info.name);
  CHECK(read_and_compare(*rig.source, 1, 0, bytes.size()) == Read::kRight);
  // Whole blocks from before the error were kept.
  REQUIRE(rig.origin->requests().size() == 2);
  CHECK(rig.origin->requests()[1].begin == kBlock);
}

TEST_CASE("cached source: a server that sends everything is asked once") {
  const Disk disk;
  OriginScript script;
  script.everything = true;
  script.says_latency = 0.01;
  script.latency = 2ms;
  for (const std::uint64_t first : {std::uint64_t{0}, 50 * kBlock}) {
    INFO(first);
    const Disk cold;
    const Rig rig = cold.rig(script);
    CHECK(read_and_compare(*rig.source, 1, first, 10) == Read::kRight);
    CHECK(read_all(*rig.source, 1) == Read::kRight);
    CHECK(rig.origin->bytes() == kSize);
    CHECK(rig.origin->requests().size() == 1);
    CHECK(rig.source->in_file().file != nullptr);
  }
  // With several requests under way when it turns out: one of them goes on, and fills all.
  const Rig rig = disk.rig(script);
  rig.source->will_need({{0, kBlock}, {20 * kBlock, 21 * kBlock}, {40 * kBlock, kSize}});
  CHECK(rig.origin->requests().size() > 1);
  CHECK(read_all(*rig.source, 1) == Read::kRight);
  CHECK(rig.origin->bytes() < kSize + 10 * script.chunk);
  CHECK(rig.source->missing({0, kSize}).empty());
}

TEST_CASE("cached source: everything that is sent unasked has to be within the budget") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path(), 4 << 20);
  const auto info = url_info(kSize);
  OriginScript script;
  script.everything = true;
  for (const std::uint64_t first : {std::uint64_t{0}, 50 * kBlock}) {
    const auto entry = open_entry(*cache, info);
    const Rig rig(entry, info, script);
    CHECK(read_and_compare(*rig.source, 1, first, 10) == Read::kRight);
    CHECK(read_all(*rig.source, 1) == Read::kRight);
    CHECK(entry->bytes_cached().value() <= std::uint64_t{4} << 20);
  }
}

TEST_CASE("cached source: planned ranges come whole and once, whichever comes first") {
  const Disk disk;
  OriginScript script;
  script.says_latency = 0.01;
  script.chunk = 40'000;
  const Rig rig = disk.rig(script);
  REQUIRE(read_and_compare(*rig.source, 1, 30 * kBlock, 3 * kBlock) == Read::kRight);
  const std::vector<ByteRange> wanted{
      {100, 10 * kBlock + 5}, {20 * kBlock, 40 * kBlock}, {70 * kBlock + 1, kSize}};
  rig.source->will_need(wanted);
  std::vector<ByteRange> left = wanted;
  Coverage coverage(kSize);
  std::uint64_t sum = 0;
  const io::FileRange file = rig.source->backing_file();
  REQUIRE(file.file != nullptr);
  while (!std::ranges::all_of(left, [](ByteRange range) { return range.empty(); })) {
    const auto part = rig.source->wait_for_any(left);
    REQUIRE(part);
    const ByteRange whole = left.at(part->index);
    REQUIRE_FALSE(part->range.empty());
    REQUIRE(whole.contains(part->range));
    std::vector<std::byte> bytes(static_cast<std::size_t>(part->range.size()));
    REQUIRE(file.file->read_at(file.begin + part->range.begin, bytes).value() == bytes.size());
    REQUIRE(test::is_noise(1, part->range.begin, bytes));
    coverage.add(part->range);
    sum += part->range.size();
    left[part->index].end = part->range.begin;
    left.push_back({part->range.end, whole.end});
  }
  std::uint64_t expected = 0;
  for (const ByteRange range : wanted) expected += range.size();
  CHECK(sum == expected);
  Coverage again = coverage;
  again.add({0, 100});
  again.add({10 * kBlock + 5, 20 * kBlock});
  again.add({40 * kBlock, 70 * kBlock + 1});
  CHECK(again.is_exactly({0, kSize}));
  CHECK(rig.origin->bytes() == kSize - 9 * kBlock - 30 * kBlock);
}

TEST_CASE("cached source: waiting in order gives the range from its start") {
  const Disk disk;
  OriginScript script;
  script.chunk = 70'000;
  script.pause = 100us;
  const Rig rig = disk.rig(script);
  ByteRange rest{1000, kSize - 3};
  rig.source->will_need({rest});
  const io::FileRange file = rig.source->backing_file();
  std::uint64_t bad = 0;
  while (!rest.empty()) {
    const auto part = rig.source->wait_for_start(rest);
    REQUIRE(part);
    REQUIRE(part->begin == rest.begin);
    REQUIRE_FALSE(part->empty());
    REQUIRE(part->end <= rest.end);
    std::vector<std::byte> bytes(static_cast<std::size_t>(part->size()));
    REQUIRE(file.file->read_at(file.begin + part->begin, bytes).value() == bytes.size());
    bad += test::is_noise(1, part->begin, bytes) ? 0U : 1U;
    rest.begin = part->end;
  }
  CHECK(bad == 0);
  CHECK(rig.origin->bytes() == kSize);
  CHECK(rig.source->wait_for_start({kSize, kSize}).value().empty());
}

TEST_CASE("cached source: an error does not leave those waiting who come after it") {
  const Disk disk;
  OriginScript script;
  script.fault = [](unsigned request, std::uint64_t) -> std::optional<Error> {
    return request == 1 ? std::optional(network_error("reset")) : std::nullopt;
  };
  const Rig rig = disk.rig(script);
  std::vector<ByteRange> left{{0, 0}, {5 * kBlock, 6 * kBlock}};
  rig.source->will_need(left);
  auto part = rig.source->wait_for_any(left);
  if (!part) part = rig.source->wait_for_any(left);  // what was planned is forgotten now
  REQUIRE(part);
  CHECK(part->index == 1);
  CHECK(part->range == left[1]);
  left.pop_back();
  CHECK_FALSE(rig.source->wait_for_any(left));
  CHECK_FALSE(rig.source->wait_for_any({}));
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

TEST_CASE("cached source: what the disk does not take goes through memory") {
  constexpr std::uint64_t kLarge = (std::uint64_t{60} << 20) + 99;
  for (const bool everything : {false, true}) {
    INFO(everything);
    test::TempDir directory;
    const auto cache = open_cache(directory.path());
    const auto info = url_info(kLarge);
    const auto entry = open_entry(*cache, info);
    FullDisk disk(5 << 20);
    const io::KernelOverride installed(&disk);
    OriginScript script;
    script.everything = everything;
    script.chunk = 256 << 10;
    const Rig rig(entry, info, script);
    CHECK(read_all(*rig.source, 1, 1'000'000) == Read::kRight);
    CHECK(rig.source->backing_file().file == nullptr);
    CHECK(rig.source->in_file().file == nullptr);
    CHECK(entry->bytes_cached().value() <= std::uint64_t{5} << 20);
    CHECK(entry->bytes_cached().value() >= std::uint64_t{2} << 20);
    CHECK(rig.origin->bytes() < kLarge + (std::uint64_t{20} << 20));
    // Backwards, and what is in the entry.
    CHECK(read_and_compare(*rig.source, 1, kLarge / 2, 200'000) == Read::kRight);
    CHECK(read_and_compare(*rig.source, 1, 10, 200'000) == Read::kRight);
  }
}

TEST_CASE("cached source: beyond the budget it goes through memory") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path(), 2 << 20);
  const auto info = url_info(kSize);
  const auto entry = open_entry(*cache, info);
  const Rig rig(entry, info);
  CHECK(read_all(*rig.source, 1) == Read::kRight);
  CHECK(entry->bytes_cached().value() <= std::uint64_t{2} << 20);
  CHECK(rig.source->backing_file().file == nullptr);
}

// Gives its blocks to a MemoryStore, and keeps in mind how many that holds at most.
TEST_CASE("cached source: a blob much larger than the memory, read on") {
  constexpr std::uint64_t kLarge = (std::uint64_t{40} << 20) + 7;
  for (const bool everything : {false, true}) {
    for (const double latency : {0.0, 0.01}) {
      INFO(everything << ' ' << latency);
      const auto info = url_info(kLarge);
      const auto store = std::make_shared<MemoryStore>(kLarge, kBlock, 6 << 20);
      OriginScript script;
      script.everything = everything;
      script.says_latency = latency;
      script.chunk = 200'000;
      const Rig rig(store, info, script);
      CHECK(read_all(*rig.source, 1, 50'000) == Read::kRight);
      CHECK(rig.origin->bytes() < kLarge + (std::uint64_t{2} << 20));
      std::uint64_t held = 0;
      for (std::uint64_t block = 0; block < store->blocks(); ++block) {
        held += store->has(block) ? 1U : 0U;
      }
      CHECK(held <= store->capacity());
      CHECK(read_and_compare(*rig.source, 1, 1'000'000, 3'000'000) == Read::kRight);
    }
  }
}

TEST_CASE("cached source: several readers share a small memory") {
  constexpr std::uint64_t kLarge = (std::uint64_t{16} << 20) + 7;
  const auto info = url_info(kLarge);
  const Rig rig(std::make_shared<MemoryStore>(kLarge, kBlock, 4 << 20), info);
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (unsigned i = 0; i < 4; ++i) {
    readers.emplace_back([&, i] {
      std::mt19937_64 random(i);
      for (int n = 0; n < 100; ++n) {
        if (read_and_compare(*rig.source, 1, random() % kLarge, random() % 100'000) !=
            Read::kRight) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
}

TEST_CASE("cached source: it can go away while downloads run") {
  const Disk disk;
  OriginScript script;
  script.says_latency = 0.01;
  script.pause = 1ms;
  for (int round = 0; round < 20; ++round) {
    script.everything = round % 4 == 3;
    Rig rig = disk.rig(script);
    rig.source->will_need({{0, kSize}});
    std::this_thread::sleep_for(std::chrono::microseconds(round * 200));
    rig.source.reset();
    CHECK(rig.origin->under_way() == 0);
    const auto other = open_entry(*disk.cache, disk.info);
    CHECK(other->claim({0, other->blocks()}).count == other->blocks());
  }
  const Rig rig = disk.rig();
  CHECK(read_all(*rig.source, 1) == Read::kRight);
}

TEST_CASE("cached source: it can go away while a download waits for its readers") {
  constexpr std::uint64_t kLarge = std::uint64_t{40} << 20;
  OriginScript script;
  script.everything = true;
  script.chunk = 300'000;
  Rig rig(std::make_shared<MemoryStore>(kLarge, kBlock, 6 << 20), url_info(kLarge), script);
  REQUIRE(read_and_compare(*rig.source, 1, 0, 10) == Read::kRight);
  while (rig.origin->bytes() < std::uint64_t{2} << 20) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(10ms);
  CHECK(rig.origin->bytes() < std::uint64_t{4} << 20);
  rig.source.reset();
  CHECK(rig.origin->under_way() == 0);
}

TEST_CASE("cached source: a reader that is told to stop, stops") {
  const Disk disk;
  OriginScript script;
  script.latency = 1h;
  CancelToken cancel;
  SourceOptions options;
  options.cancel = &cancel;
  const Rig rig = disk.rig(script, options);
  std::thread later([&] {
    std::this_thread::sleep_for(20ms);
    cancel.request(2);
  });
  std::vector<std::byte> bytes(10);
  const auto got = rig.source->read_at(0, bytes, io::Caching::kKeep);
  later.join();
  REQUIRE_FALSE(got);
  CHECK(got.error().code == ErrorCode::kInterrupted);
}

TEST_CASE("cached source: offline, what is there is read and the rest is an error") {
  const Disk disk;
  {
    const Rig rig = disk.rig();
    REQUIRE(read_and_compare(*rig.source, 1, 0, 2 * kBlock) == Read::kRight);
  }
  SourceOptions options;
  options.offline = true;
  const auto entry = open_entry(*disk.cache, disk.info);
  const CachedSource source(entry, nullptr, disk.info, options);
  CHECK(read_and_compare(source, 1, 100, kBlock) == Read::kRight);
  std::vector<std::byte> bytes(10);
  const auto got = source.read_at(5 * kBlock, bytes, io::Caching::kKeep);
  REQUIRE_FALSE(got);
  CHECK(got.error().code == ErrorCode::kNetwork);
  CHECK(got.error().path == disk.info.name);
  source.will_need({{0, kSize}});
  const std::vector<ByteRange> ranges{{5 * kBlock, kSize}};
  CHECK_FALSE(source.wait_for_any(ranges));
  CHECK_FALSE(source.wait_for_start(ranges[0]));
  CHECK(source.missing({0, kSize}) == std::vector<ByteRange>{{2 * kBlock, kSize}});
}

TEST_CASE("cached source: once the blob has changed, the entry is nobody's any more") {
  const Disk disk;
  OriginScript script;
  std::atomic<ScriptedOrigin*> origin{nullptr};
  script.fault = [&](unsigned request, std::uint64_t) -> std::optional<Error> {
    if (request == 1) return std::nullopt;
    origin.load()->change();
    return network_error("it has changed on the server");
  };
  const Rig rig = disk.rig(script);
  origin = rig.origin.get();
  REQUIRE(read_and_compare(*rig.source, 1, 0, 10) == Read::kRight);
  CHECK(read_and_compare(*rig.source, 1, 5 * kBlock, 10) == Read::kError);
  // Whoever has it open keeps what is there.
  CHECK(read_and_compare(*rig.source, 1, 100, 10) == Read::kRight);
  CHECK(disk.cache->find(key_of(disk.info)).value() == nullptr);
  CHECK(open_entry(*disk.cache, disk.info)->bytes_cached().value() == 0);
}

TEST_CASE("cached source: a head start is not fetched again") {
  const Disk disk;
  const Rig rig = disk.rig();
  rig.source->take_head(noise(1, 0, 2 * kBlock + 100));
  CHECK(read_and_compare(*rig.source, 1, 10, 2 * kBlock - 10) == Read::kRight);
  CHECK(rig.origin->requests().empty());
  CHECK(read_all(*rig.source, 1) == Read::kRight);
  CHECK(rig.origin->bytes() == kSize - 2 * kBlock);

  const auto small = url_info(100);
  const Rig whole(std::make_shared<MemoryStore>(100), small);
  whole.source->take_head(noise(1, 0, 100));
  CHECK(read_all(*whole.source, 1) == Read::kRight);
  CHECK(whole.origin->requests().empty());
}

TEST_CASE("cached source: sizes at the edges") {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, kBlock - 1, kBlock,
                                   kBlock + 1, 64 * kBlock, 256 * kBlock + 1}) {
    INFO(size);
    test::TempDir directory;
    const auto cache = open_cache(directory.path());
    const auto info = url_info(size);
    const Rig rig(open_entry(*cache, info), info);
    CHECK(read_all(*rig.source, 1) == Read::kRight);
    CHECK(rig.origin->bytes() == size);
    CHECK(rig.source->in_file().file != nullptr);
  }
}

TEST_CASE("cached source: a file that is cut under it is fetched again") {
  const Disk disk;
  const Rig rig = disk.rig();
  REQUIRE(read_all(*rig.source, 1) == Read::kRight);
  const std::string path = entry_path(disk.directory.path(), disk.info);
  REQUIRE(::truncate(path.c_str(), 1'000'000) == 0);
  CHECK(read_all(*rig.source, 1) == Read::kRight);
  CHECK(rig.source->backing_file().file == nullptr);
}

}  // namespace
}  // namespace shunt::cache
