#include "shunt/boxes/offset_table.h"

#include <rapidcheck.h>

#include "shunt/base/big_endian.h"
#include "support/catch.h"

namespace shunt::boxes {
namespace {

using Bytes = std::vector<std::byte>;

template <typename T>
void put(Bytes& bytes, T value) {
  const std::size_t at = bytes.size();
  bytes.resize(at + sizeof value);
  store_be<T>(bytes.data() + at, value);
}

OffsetTable table_of(OffsetTable::Kind kind, std::uint32_t count) {
  OffsetTable table;
  table.kind = kind;
  table.entries_at = 0;
  table.count = count;
  return table;
}

TEST_CASE("a mapped table reads the same in pieces of any size, widened or not") {
  CHECK(rc::check([] {
    const auto count = *rc::gen::inRange<std::uint32_t>(1, 300);
    const bool wide = *rc::gen::arbitrary<bool>();
    Bytes raw;
    std::vector<std::uint64_t> offsets;
    for (std::uint32_t i = 0; i < count; ++i) {
      offsets.push_back(*rc::gen::inRange<std::uint64_t>(0, 5000));
      put<std::uint32_t>(raw, static_cast<std::uint32_t>(offsets.back()));
    }
    auto map = std::make_shared<OffsetMap>();
    map->add(1000, 700);
    map->add(3000, 90);
    std::vector<ChunkFilter::Run> runs;
    for (std::uint32_t at = 0; at < count; at += 40) runs.push_back({at, at / 40 % 2 == 0});
    OffsetTable table = table_of(OffsetTable::Kind::kStco, count);
    table.widened = wide;
    if (*rc::gen::arbitrary<bool>()) table.filter = std::make_shared<ChunkFilter>(runs);

    Bytes expected;
    for (std::uint32_t i = 0; i < count; ++i) {
      const bool here = table.filter == nullptr || i / 40 % 2 == 0;
      const std::uint64_t value = here ? *map->map(offsets[i]) : offsets[i];
      wide ? put<std::uint64_t>(expected, value)
           : put<std::uint32_t>(expected, static_cast<std::uint32_t>(value));
    }
    const MappedTable mapped(std::make_shared<io::MemorySource>(raw), table, map);
    RC_ASSERT(mapped.size() == expected.size());
    for (int i = 0; i < 20; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, expected.size() + 5);
      Bytes into(*rc::gen::inRange<std::size_t>(0, 200));
      const auto got = mapped.read_at(at, into, io::Caching::kKeep);
      RC_ASSERT(got.has_value());
      const std::size_t left = at < expected.size() ? expected.size() - at : 0;
      RC_ASSERT(*got == std::min(left, into.size()));
      for (std::size_t b = 0; b < *got; ++b) RC_ASSERT(into[b] == expected[at + b]);
    }
  }));
}

TEST_CASE("an offset that outgrows its field is an error, never cut off") {
  Bytes raw;
  put<std::uint32_t>(raw, 0xfffffff0);
  auto map = std::make_shared<OffsetMap>();
  map->add(0, 100);
  const MappedTable mapped(std::make_shared<io::MemorySource>(raw),
                           table_of(OffsetTable::Kind::kStco, 1), map);
  Bytes into(4);
  const auto got = mapped.read_at(0, into, io::Caching::kKeep);
  REQUIRE_FALSE(got);
  CHECK(got.error().code == ErrorCode::kIntegrity);
}

TEST_CASE("vendor tables move their offsets and nothing else") {
  Bytes raw;
  put<std::uint32_t>(raw, 2000);
  put<std::uint32_t>(raw, 2000);
  put<std::uint32_t>(raw, 0);
  put<std::uint32_t>(raw, 0);
  auto map = std::make_shared<OffsetMap>();
  map->add(0, 5);
  const MappedTable gps(std::make_shared<io::MemorySource>(raw),
                        table_of(OffsetTable::Kind::kGps, 2), map);
  Bytes into(16);
  REQUIRE(gps.read_at(0, into, io::Caching::kKeep));
  CHECK(load_be<std::uint32_t>(into.data()) == 2005);
  CHECK(load_be<std::uint32_t>(into.data() + 4) == 2000);
  CHECK(load_be<std::uint32_t>(into.data() + 8) == 0);

  Bytes canon;
  put<std::uint32_t>(canon, 1);
  put<std::uint64_t>(canon, 2000);
  put<std::uint64_t>(canon, 2000);
  const MappedTable ctbo(std::make_shared<io::MemorySource>(canon),
                         table_of(OffsetTable::Kind::kCtbo, 1), map);
  Bytes entry(20);
  REQUIRE(ctbo.read_at(0, entry, io::Caching::kKeep));
  CHECK(load_be<std::uint32_t>(entry.data()) == 1);
  CHECK(load_be<std::uint64_t>(entry.data() + 4) == 2005);
  CHECK(load_be<std::uint64_t>(entry.data() + 12) == 2000);
}

TEST_CASE("the largest offset of each zone is found, and the smallest") {
  Bytes raw;
  for (const std::uint32_t value : {10U, 500U, 400U, 950U, 2000U, 1500U})
    put<std::uint32_t>(raw, value);
  OffsetTable table = table_of(OffsetTable::Kind::kStco, 6);
  const Zones zones{100, {900, 1000}};
  REQUIRE(find_extremes(io::MemorySource(raw), zones, table));
  CHECK(table.largest[Zones::kBefore] == 10U);
  CHECK(table.largest[Zones::kMedia] == 500U);
  CHECK(table.smallest[Zones::kBefore] == 10U);
  CHECK(table.smallest[Zones::kMedia] == 400U);
  CHECK(table.smallest[Zones::kMoov] == 950U);
  CHECK(table.smallest[Zones::kAfter] == 1500U);
  CHECK(table.largest[Zones::kMoov] == 950U);
  CHECK(table.largest[Zones::kAfter] == 2000U);
}

}  // namespace
}  // namespace shunt::boxes
