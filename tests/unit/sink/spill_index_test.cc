// The table of the spill file against std::map, and its free slots.
#include "shunt/sink/spill_index.h"

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "shunt/sink/spill_space.h"
#include "support/catch.h"

namespace {

using namespace shunt;
using sink::Slots;
using sink::SpillIndex;
using sink::SpillSpace;

io::File unnamed() {
  return io::File::create_unnamed(std::filesystem::temp_directory_path()).value();
}

}  // namespace

TEST_CASE("the table is an ordered map, however it is filled and emptied") {
  const int pattern = GENERATE(0, 1, 2);
  CAPTURE(pattern);
  CHECK(rc::check([pattern](unsigned seed) {
    std::mt19937_64 random(seed);
    io::File file = unnamed();
    SpillSpace space;
    SpillIndex index(file, space);
    std::map<std::uint64_t, std::uint64_t> model;
    std::uint64_t next = 0;
    const auto check_at = [&](std::uint64_t key) {
      const auto found = index.at_or_after(key).value();
      const auto expected = model.lower_bound(key);
      RC_ASSERT(found.has_value() == (expected != model.end()));
      if (!found) return;
      RC_ASSERT(found->key == expected->first);
      RC_ASSERT(found->value == expected->second);
    };
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 900; ++i) {
        next += 1 + random() % 1000;
        const std::uint64_t key = pattern == 0   ? next
                                  : pattern == 1 ? UINT64_MAX / 2 - next
                                                 : random() >> (random() % 40);
        if (!model.emplace(key, i).second) continue;
        RC_ASSERT(index.insert({key, static_cast<std::uint64_t>(i)}).has_value());
        if (i % 16 == 0) check_at(random() >> (random() % 60));
      }
      const std::size_t rest = round == 3 ? 0 : model.size() / (1 + random() % 20);
      while (model.size() > rest) {
        auto at = round % 2 == 0 ? model.lower_bound(random() >> (random() % 60)) : model.begin();
        if (at == model.end()) at = model.begin();
        RC_ASSERT(index.erase(at->first).has_value());
        const std::uint64_t key = at->first;
        model.erase(at);
        if (model.size() % 16 == 0) check_at(key);
      }
      RC_ASSERT(index.empty() == model.empty());
    }
    RC_ASSERT(space.end() == 0);  // every page has been given back
  }));
}

TEST_CASE("a table that is filled in order fills its pages") {
  io::File file = unnamed();
  SpillSpace space;
  SpillIndex index(file, space);
  constexpr std::uint64_t kMany = 200'000;
  for (std::uint64_t i = 0; i < kMany; ++i) REQUIRE(index.insert({i * 1000, i}));
  CHECK(space.end() < kMany / 250 + 20);
  CHECK(index.at_or_after(123'456'001).value()->value == 123'457);
  CHECK_FALSE(index.at_or_after(kMany * 1000).value());
}

TEST_CASE("slots are given out once, from the beginning on, and the end comes back") {
  std::mt19937 random(1);
  SpillSpace space;
  std::set<std::uint64_t> taken;
  std::vector<Slots> held;
  for (int i = 0; i < 5000; ++i) {
    if (held.empty() || random() % 5 < 3) {
      const std::uint64_t most = 1 + random() % 64;
      const Slots slots = space.take(most);
      REQUIRE(slots.count >= 1);
      REQUIRE(slots.count <= most);
      for (std::uint64_t at = 0; at < slots.count; ++at) {
        REQUIRE(taken.insert(slots.first + at).second);
      }
      held.push_back(slots);
    } else {
      std::swap(held[random() % held.size()], held.back());
      for (std::uint64_t at = 0; at < held.back().count; ++at) {
        taken.erase(held.back().first + at);
      }
      space.give_back(held.back());
      held.pop_back();
    }
    REQUIRE(space.end() >= (taken.empty() ? 0 : *taken.rbegin() + 1));
  }
  for (const Slots slots : held) space.give_back(slots);
  CHECK(space.end() == 0);
}
