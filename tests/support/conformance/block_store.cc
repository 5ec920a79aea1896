#include "support/conformance/block_store.h"

#include <rapidcheck.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/scripted_origin.h"

namespace shunt::test {
namespace {

using cache::BlockRun;
using cache::BlockStore;
using cache::Claim;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kSeed = 11;

Bytes blob_part(std::uint64_t begin, std::uint64_t end) {
  Bytes bytes(static_cast<std::size_t>(end - begin));
  fill_noise(kSeed, begin, bytes);
  return bytes;
}

Bytes blocks_of_blob(const BlockStore& store, BlockRun run) {
  return blob_part(run.begin * store.block_size(),
                   std::min(run.end * store.block_size(), store.size()));
}

// Whether `size` bytes at `offset` are there, and are those of the blob.
enum class Read { kGone, kRight, kWrong, kError };
Read read_part(BlockStore& store, std::uint64_t offset, std::size_t size) {
  Bytes into(size);
  const auto there = store.read(offset, into);
  if (!there) return Read::kError;
  if (!*there) return Read::kGone;
  return is_noise(kSeed, offset, into) ? Read::kRight : Read::kWrong;
}

// What a store with any number of views has to answer.
class Model {
 public:
  Model(std::uint64_t blocks, std::size_t views, bool claims_exclude)
      : recorded_(blocks),
        known_(views, std::vector<bool>(blocks)),
        owner_(blocks, kNobody),
        claims_exclude_(claims_exclude) {}

  void put(std::size_t view, BlockRun run) {
    for (std::uint64_t block = run.begin; block < run.end; ++block) {
      recorded_[block] = true;
      known_[view][block] = true;
    }
  }
  // What a check finds out of neighbours is as well known then; which those are is not promised.
  bool check(std::size_t view, std::uint64_t block) {
    if (recorded_[block]) known_[view][block] = true;
    return recorded_[block];
  }
  [[nodiscard]] bool must_have(std::size_t view, std::uint64_t block) const {
    return known_[view][block];
  }
  [[nodiscard]] bool recorded(std::uint64_t block) const { return recorded_[block]; }
  [[nodiscard]] Claim claim(std::size_t view, BlockRun run) {
    if (!claims_exclude_) return {true, run.count()};
    const bool free = owner_[run.begin] == kNobody;
    std::uint64_t end = run.begin;
    while (end < run.end && (owner_[end] == kNobody) == free) ++end;
    if (free) std::fill(at(run.begin), at(end), static_cast<int>(view));
    return {free, end - run.begin};
  }
  void release(std::size_t view, BlockRun run) {
    for (std::uint64_t block = run.begin; block < run.end; ++block) {
      if (owner_[block] == static_cast<int>(view)) owner_[block] = kNobody;
    }
  }

 private:
  static constexpr int kNobody = -1;
  std::vector<int>::iterator at(std::uint64_t block) {
    return owner_.begin() + static_cast<std::ptrdiff_t>(block);
  }

  std::vector<bool> recorded_;
  std::vector<std::vector<bool>> known_;
  std::vector<int> owner_;
  bool claims_exclude_;
};

// The first run within `within` for whose blocks `holds` is true.
template <typename Holds>
BlockRun first_run(BlockRun within, const Holds& holds) {
  BlockRun run{within.begin, within.begin};
  while (run.begin < within.end && !holds(run.begin)) ++run.begin;
  for (run.end = run.begin; run.end < within.end && holds(run.end); ++run.end) {
  }
  return run;
}

// Not empty, unless `may_be_empty`.
BlockRun any_run(std::uint64_t blocks, bool may_be_empty = false) {
  const auto begin = *rc::gen::inRange<std::uint64_t>(0, blocks);
  const auto most = std::min<std::uint64_t>(blocks - begin, 9);
  const auto count = *rc::gen::inRange<std::uint64_t>(may_be_empty ? 0 : 1, most + 1);
  return {begin, begin + count};
}

// What holds of a store that keeps everything, whatever was done to it before.
void compare(BlockStore& store, const Model& model, std::size_t view, BlockRun within) {
  for (std::uint64_t block = within.begin; block < within.end; ++block) {
    const bool has = store.has(block);
    RC_ASSERT(has || !model.must_have(view, block));
    RC_ASSERT(!has || model.recorded(block));
  }
  RC_ASSERT(store.next_known(within) ==
            first_run(within, [&](std::uint64_t block) { return store.has(block); }));
  RC_ASSERT(store.next_missing(within) ==
            first_run(within, [&](std::uint64_t block) { return !model.recorded(block); }));
}

void do_something(BlockStore& store, Model& model, std::size_t view) {
  const std::uint64_t blocks = store.blocks();
  const BlockRun run = any_run(blocks);
  switch (*rc::gen::inRange(0, 5)) {
    case 0:
      RC_ASSERT(store.put(run.begin, blocks_of_blob(store, run)).has_value());
      model.put(view, run);
      break;
    case 1: {
      const Claim expected = model.claim(view, run);
      const Claim got = store.claim(run);
      RC_ASSERT(got.granted == expected.granted);
      // What is taken may be two claims, of which the first one is told.
      RC_ASSERT(got.count >= 1);
      RC_ASSERT(got.count <= expected.count);
      RC_ASSERT((!got.granted || got.count == expected.count));
      break;
    }
    case 2:
      store.release(run);
      model.release(view, run);
      break;
    case 3:
      RC_ASSERT(store.check(run.begin) == model.check(view, run.begin));
      RC_ASSERT(store.has(run.begin) == model.recorded(run.begin));
      break;
    default: {
      // Somewhere within a run that has() is true for.
      const BlockRun known = store.next_known({run.begin, blocks});
      if (known.empty()) break;
      const std::uint64_t begin = known.begin * store.block_size();
      const std::uint64_t end = std::min(known.end * store.block_size(), store.size());
      const auto offset = *rc::gen::inRange(begin, end);
      const auto size =
          *rc::gen::inRange<std::uint64_t>(1, std::min(end - offset, 3 * store.block_size()) + 1);
      RC_ASSERT(read_part(store, offset, static_cast<std::size_t>(size)) == Read::kRight);
    }
  }
}

void check_random(const StoreUnderTest& tested) {
  constexpr std::uint64_t kBlocks = 40;
  CHECK(rc::check([&] {
    const auto last = *rc::gen::inRange<std::uint64_t>(1, tested.block_size + 1);
    const StoreViews views = tested.make((kBlocks - 1) * tested.block_size + last);
    const BlockStore& any = *views.front();
    RC_ASSERT(any.blocks() == kBlocks);
    if (any.capacity() != 0 && any.capacity() < kBlocks) return;  // it is no plain model's
    Model model(kBlocks, views.size(), tested.claims == StoreUnderTest::Claims::kExclude);
    for (int step = 0; step < 30; ++step) {
      const auto view = *rc::gen::inRange<std::size_t>(0, views.size());
      do_something(*views[view], model, view);
      compare(*views[view], model, view, any_run(kBlocks, true));
    }
    for (std::size_t view = 0; view < views.size(); ++view) {
      compare(*views[view], model, view, {0, kBlocks});
    }
  }));
}

// A store that holds less than the blob: which blocks stay is its own affair, the last one put
// among them.
void check_full(const StoreUnderTest& tested) {
  const auto room = tested.make(1)[0]->capacity();
  if (room == 0) return;
  const std::uint64_t blocks = 2 * room + 3;
  CHECK(rc::check([&] {
    const auto store = tested.make((blocks - 1) * tested.block_size + 5)[0];
    std::set<std::uint64_t> ever;
    for (int step = 0; step < 20; ++step) {
      const BlockRun run = any_run(blocks);
      RC_ASSERT(store->put(run.begin, blocks_of_blob(*store, run)).has_value());
      for (std::uint64_t block = run.begin; block < run.end; ++block) ever.insert(block);
      RC_ASSERT(store->has(run.end - 1));
      std::uint64_t held = 0;
      for (std::uint64_t block = 0; block < blocks; ++block) {
        const bool has = store->has(block);
        held += has ? 1U : 0U;
        RC_ASSERT(!has || ever.contains(block));
        RC_ASSERT(store->next_missing({block, block + 1}).empty() == has);
        RC_ASSERT(store->next_known({block, block + 1}).empty() != has);
      }
      RC_ASSERT(held <= store->capacity());
      const std::uint64_t at = run.begin * tested.block_size;
      const Read read = read_part(*store, at, 1);
      RC_ASSERT(read == (store->has(run.begin) ? Read::kRight : Read::kGone));
    }
  }));
}

void check_ends(const StoreUnderTest& tested) {
  const std::uint64_t size = 2 * tested.block_size + 7;
  const StoreViews views = tested.make(size);
  BlockStore& store = *views.front();
  CHECK(store.size() == size);
  CHECK(store.block_size() == tested.block_size);
  CHECK(store.blocks() == 3);
  CHECK_FALSE(store.sealed());
  CHECK_FALSE(store.discarded());
  CHECK(store.next_missing({0, 3}) == BlockRun{0, 3});
  CHECK(store.next_known({0, 3}) == BlockRun{3, 3});
  CHECK_FALSE(store.check(2));
  CHECK(store.admit(7) == cache::Room::kGranted);

  REQUIRE(store.put(2, blocks_of_blob(store, {2, 3})));
  CHECK(read_part(store, 2 * tested.block_size, 7) == Read::kRight);
  CHECK(read_part(store, size - 1, 1) == Read::kRight);
  REQUIRE(store.put(0, blocks_of_blob(store, {0, 2})));
  CHECK(read_part(store, 0, static_cast<std::size_t>(size)) == Read::kRight);
  CHECK(store.next_missing({0, 3}).empty());
  CHECK(store.next_known({0, 3}) == BlockRun{0, 3});
  // Once more, the same.
  REQUIRE(store.put(0, blocks_of_blob(store, {0, 3})));
  CHECK(read_part(store, 0, static_cast<std::size_t>(size)) == Read::kRight);

  if (const io::FileRange place = store.backing_file(); place.file != nullptr) {
    Bytes there(static_cast<std::size_t>(size));
    CHECK(place.file->read_at(place.begin, there).value() == size);
    CHECK(is_noise(kSeed, 0, there));
  }
  for (const auto& other : views) {
    CHECK(other->next_missing({0, 3}).empty());
    for (std::uint64_t block = 0; block < 3; ++block) CHECK(other->check(block));
    CHECK(read_part(*other, 1, static_cast<std::size_t>(size - 1)) == Read::kRight);
  }
}

// Threads fill a store, each what it was granted, and read what is there.
void check_threads(const StoreUnderTest& tested) {
  constexpr std::uint64_t kBlocks = 60;
  const StoreViews views = tested.make(kBlocks * tested.block_size - 1);
  const std::uint64_t capacity = views.front()->capacity();
  if (capacity != 0 && capacity < kBlocks) return;  // they would drop each other's
  std::vector<std::atomic<int>> filled(kBlocks);
  std::atomic<int> wrong{0};
  std::atomic<int> waiting{4};
  {
    std::vector<std::jthread> threads;
    for (std::size_t number = 0; number < 4; ++number) {
      threads.emplace_back([&, number] {
        BlockStore& store = *views[number % views.size()];
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        for (std::uint64_t at = 0; at < kBlocks;) {
          const BlockRun wish{at, std::min(at + 1 + number, kBlocks)};
          const Claim claim = store.claim(wish);
          if (claim.count == 0 || claim.count > wish.count()) ++wrong;
          const BlockRun run{at, at + std::max<std::uint64_t>(claim.count, 1)};
          for (std::uint64_t block = run.begin; claim.granted && block < run.end; ++block) {
            if (store.check(block)) continue;
            ++filled[block];
            if (!store.put(block, blocks_of_blob(store, {block, block + 1}))) ++wrong;
            if (!store.has(block)) ++wrong;
            const Read read = read_part(store, block * store.block_size(), 100);
            if (read != Read::kRight) ++wrong;
          }
          if (claim.granted) store.release(run);
          at = run.end;
        }
      });
    }
  }
  CHECK(wrong == 0);
  for (const auto& view : views) CHECK(view->next_missing({0, kBlocks}).empty());
  if (tested.claims == StoreUnderTest::Claims::kNone) return;
  for (const std::atomic<int>& times : filled) CHECK(times == 1);
}

}  // namespace

void check_block_store(const StoreUnderTest& tested) {
  SECTION("the first block, the last one, and all") {
    check_ends(tested);
  }
  SECTION("random calls answer as a model does") {
    check_random(tested);
  }
  SECTION("a store that holds a few blocks holds no more") {
    check_full(tested);
  }
  SECTION("threads fill it together") {
    check_threads(tested);
  }
}

}  // namespace shunt::test
