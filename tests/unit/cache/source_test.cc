// A CachedSource against a server of its own: right bytes, each once.
#include <thread>

#include "shunt/cache/cached_source.h"
#include "shunt/cache/memory_store.h"
#include "support/waiting.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSize = (std::uint64_t{12} << 20) + 4321;

TEST_CASE("cached source: many readers anywhere, each block once") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  script.latency = 300us;
  script.says_latency = 0.01;  // so that several connections are worth it
  script.chunk = 50'000;
  const Rig rig = disk.rig(script);
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (unsigned i = 0; i < 8; ++i) {
    readers.emplace_back([&, i] {
      wrong += wrong_reads(*rig.source, 1, 200'000, 100, i);
      if (read_all(*rig.source, 1, 300'001) != Read::kRight) ++wrong;
    });
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(rig.origin->bytes() == kSize);
  CHECK(rig.source->bytes_fetched() == kSize);
  CHECK(rig.source->missing({0, kSize}).empty());
}

TEST_CASE("cached source: reading on needs few requests, and none when it is warm") {
  const Disk disk(url_info(kSize));
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
  CHECK(warm.source->bytes_fetched() == 0);
  const io::FileRange file = warm.source->in_file();
  REQUIRE(file.file != nullptr);
  std::vector<std::byte> bytes(1000);
  CHECK(file.file->read_at(file.begin + 5000, bytes).value() == bytes.size());
  CHECK(test::is_noise(1, 5000, bytes));
}

TEST_CASE("cached source: a single read asks for its blocks, not for more") {
  const Disk disk(url_info(kSize));
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

TEST_CASE("cached source: a server that sends everything is asked once") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  script.everything = true;
  script.says_latency = 0.01;
  script.latency = 2ms;
  for (const std::uint64_t first : {std::uint64_t{0}, 50 * kBlock}) {
    INFO(first);
    const Disk cold(url_info(kSize));
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

TEST_CASE("cached source: it can go away while downloads run") {
  const Disk disk(url_info(kSize));
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

TEST_CASE("cached source: a reader that is told to stop, stops") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  script.latency = 1h;
  CancelToken cancel;
  SourceOptions options;
  options.cancel = &cancel;
  const Rig rig = disk.rig(script, options);
  std::thread later([&, waiting = test::this_thread()] {
    test::until_asleep(waiting);
    cancel.request(2);
  });
  std::vector<std::byte> bytes(10);
  const auto got = rig.source->read_at(0, bytes, io::Caching::kKeep);
  later.join();
  REQUIRE_FALSE(got);
  CHECK(got.error().code == ErrorCode::kInterrupted);
}

TEST_CASE("cached source: offline, what is there is read and the rest is an error") {
  const Disk disk(url_info(kSize));
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

TEST_CASE("cached source: a head start is not fetched again") {
  const Disk disk(url_info(kSize));
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

}  // namespace
}  // namespace shunt::cache
