#include "shunt/streams/transfer.h"

#include <cstring>
#include <vector>

#include "support/catch.h"

namespace shunt::streams {
namespace {

Error broken(const char* reason) {
  Error error;
  error.reason = reason;
  return error;
}

// Fills blocks that begin with their number, `count` of them.
Fill numbered(unsigned count) {
  return [count, next = 0U](Block& block) mutable -> Result<bool> {
    if (next == count) return false;
    std::memcpy(block.data.data(), &next, sizeof next);
    block.at = next++;
    return true;
  };
}

TEST_CASE("blocks arrive in order and whole") {
  std::vector<unsigned> seen;
  const auto done = transfer(numbered(1000),
                             [&](const Block& block) -> Result<void> {
                               unsigned number = 0;
                               std::memcpy(&number, block.data.data(), sizeof number);
                               CHECK(number == block.at);
                               seen.push_back(number);
                               return {};
                             },
                             {.buffer_size = 64});
  REQUIRE(done);
  REQUIRE(seen.size() == 1000);
  for (unsigned i = 0; i < 1000; ++i) CHECK(seen[i] == i);
}

TEST_CASE("an error of the filling side comes after what was filled before") {
  unsigned drained = 0;
  unsigned filled = 0;
  const auto done = transfer(
      [&](Block&) -> Result<bool> {
        if (++filled == 4) return broken("no more");
        return true;
      },
      [&](const Block&) -> Result<void> {
        ++drained;
        return {};
      },
      {.buffer_size = 16});
  REQUIRE_FALSE(done);
  CHECK(done.error().reason == "no more");
  CHECK(drained == 3);
}

TEST_CASE("an error of the draining side ends the filling") {
  unsigned filled = 0;
  const auto done = transfer(
      [&](Block&) -> Result<bool> {
        ++filled;
        return true;
      },
      [](const Block& block) -> Result<void> {
        (void)block;
        return broken("full");
      },
      {.buffer_size = 16});
  REQUIRE_FALSE(done);
  CHECK(done.error().reason == "full");
  CHECK(filled <= 1 + kTransferBuffers);
}

TEST_CASE("a request to stop ends it between blocks") {
  CancelToken token;
  unsigned drained = 0;
  const auto done = transfer(numbered(100),
                             [&](const Block&) -> Result<void> {
                               if (++drained == 3) token.request(2);
                               return {};
                             },
                             {.buffer_size = 64, .context = {.cancel = &token}});
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kInterrupted);
  CHECK(drained == 3);
}

}  // namespace
}  // namespace shunt::streams
