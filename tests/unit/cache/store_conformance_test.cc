// The stores of blocks: in memory, and in an entry of the cache.
#include <atomic>

#include "shunt/cache/memory_store.h"
#include "support/conformance/block_store.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

using test::StoreUnderTest;
using test::StoreViews;

TEST_CASE("memory for all of a blob is a store of blocks") {
  test::check_block_store({.make =
                               [](std::uint64_t size) {
                                 return StoreViews{std::make_shared<MemoryStore>(
                                     size, 4096, std::uint64_t{100} * 4096)};
                               },
                           .block_size = 4096,
                           .claims = StoreUnderTest::Claims::kNone});
}

TEST_CASE("memory for a few blocks is a store of blocks") {
  test::check_block_store(
      {.make =
           [](std::uint64_t size) {
             return StoreViews{std::make_shared<MemoryStore>(size, 4096, std::uint64_t{8} * 4096)};
           },
       .block_size = 4096,
       .claims = StoreUnderTest::Claims::kNone});
}

TEST_CASE("an entry of the cache is a store of blocks, for two that share it") {
  const test::TempDir directory;
  const auto cache = open_cache(directory.path());
  std::atomic<int> made{0};
  test::check_block_store(
      {.make =
           [&](std::uint64_t size) {
             blob::Info info = url_info(size);
             // Each time an entry that nobody has used.
             info.name += std::to_string(++made);
             return StoreViews{open_entry(*cache, info), open_entry(*cache, info)};
           },
       .block_size = kBlock});
}

}  // namespace
}  // namespace shunt::cache
