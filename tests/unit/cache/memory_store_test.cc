// Blocks in memory: the least recently used goes first, and never more than there is room for.
#include "shunt/cache/memory_store.h"

#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

constexpr std::uint64_t kSize = 100 * kBlock + 77;

Result<void> put(MemoryStore& store, std::uint64_t first, std::uint64_t count) {
  const std::uint64_t begin = first * kBlock;
  return store.put(first, noise(1, begin, std::min(kSize, begin + count * kBlock) - begin));
}

bool reads_right(MemoryStore& store, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes(size);
  return store.read(offset, bytes).value() && test::is_noise(1, offset, bytes);
}

TEST_CASE("memory store: what was put is there, whole and in part") {
  MemoryStore store(kSize, kBlock, 8 * kBlock);
  CHECK(store.capacity() == 8);
  CHECK(store.blocks() == 101);
  CHECK_FALSE(store.has(3));
  REQUIRE(put(store, 3, 3));
  CHECK(store.has(3));
  CHECK(store.check(5));
  CHECK_FALSE(store.has(6));
  CHECK(reads_right(store, 3 * kBlock, 3 * kBlock));
  CHECK(reads_right(store, 4 * kBlock - 10, 20));
  std::vector<std::byte> bytes(20);
  CHECK_FALSE(store.read(3 * kBlock - 10, bytes).value());
  CHECK_FALSE(store.read(6 * kBlock - 10, bytes).value());
  REQUIRE(put(store, 100, 1));
  CHECK(reads_right(store, 100 * kBlock, 77));
}

TEST_CASE("memory store: runs of what is there and what is not") {
  MemoryStore store(kSize, kBlock, 16 * kBlock);
  REQUIRE(put(store, 3, 2));
  REQUIRE(put(store, 7, 1));
  CHECK(store.next_known({0, 20}) == BlockRun{3, 5});
  CHECK(store.next_known({4, 20}) == BlockRun{4, 5});
  CHECK(store.next_known({3, 4}) == BlockRun{3, 4});
  CHECK(store.next_known({5, 7}) == BlockRun{7, 7});
  CHECK(store.next_known({8, 20}) == BlockRun{20, 20});
  CHECK(store.next_missing({0, 20}) == BlockRun{0, 3});
  CHECK(store.next_missing({3, 20}) == BlockRun{5, 7});
  CHECK(store.next_missing({7, 8}) == BlockRun{8, 8});
  CHECK(store.next_missing({7, 20}) == BlockRun{8, 20});
  CHECK(store.next_missing({4, 6}) == BlockRun{5, 6});
}

TEST_CASE("memory store: the block whose use lies farthest back goes") {
  MemoryStore store(kSize, kBlock, 4 * kBlock);
  REQUIRE(put(store, 0, 4));
  CHECK(reads_right(store, 0, 10));
  CHECK(reads_right(store, 2 * kBlock, 10));
  REQUIRE(put(store, 10, 2));
  CHECK(store.has(0));
  CHECK_FALSE(store.has(1));
  CHECK(store.has(2));
  CHECK_FALSE(store.has(3));
  CHECK(store.has(10));
  CHECK(store.has(11));
  // More than there is room for: the last ones stay.
  REQUIRE(put(store, 20, 9));
  std::uint64_t held = 0;
  for (std::uint64_t block = 0; block < store.blocks(); ++block) held += store.has(block) ? 1U : 0U;
  CHECK(held == 4);
  CHECK(store.next_known({0, 101}) == BlockRun{25, 29});
}

}  // namespace
}  // namespace shunt::cache
