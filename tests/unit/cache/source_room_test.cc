// A CachedSource with less room than its blob takes: by its budget, or in memory.
#include <thread>

#include "shunt/cache/cached_source.h"
#include "shunt/cache/memory_store.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSize = (std::uint64_t{12} << 20) + 4321;

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
    readers.emplace_back([&, i] { wrong += wrong_reads(*rig.source, 1, 100'000, 100, i); });
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
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

}  // namespace
}  // namespace shunt::cache
