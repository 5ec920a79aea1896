// What every cache::BlockStore has to do (cache/block_store.h), as one function that the tests of
// each implementation call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "shunt/cache/block_store.h"

namespace shunt::test {

// The views of one new and empty store: objects that share what is kept, as two processes would.
// They own what they need.
using StoreViews = std::vector<std::shared_ptr<cache::BlockStore>>;

// A value. What `make` uses must live as long as the check.
struct StoreUnderTest {
  // For a blob of `size` bytes.
  std::function<StoreViews(std::uint64_t size)> make;
  std::uint64_t block_size = 0;
  // kNone is for a store of one process that leaves it to its only user who fills what.
  enum class Claims { kNone, kExclude } claims = Claims::kExclude;
};

// Has sections of Catch2: call it once in a TEST_CASE, with nothing behind it.
void check_block_store(const StoreUnderTest& tested);

}  // namespace shunt::test
