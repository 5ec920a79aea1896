#include "shunt/boxes/item_location.h"

#include <rapidcheck.h>

#include "support/catch.h"
#include "support/mp4_builder.h"

namespace shunt::boxes {
namespace {

using Bytes = std::vector<std::byte>;

Result<ItemLocations> read_iloc(const Bytes& bytes) {
  const io::MemorySource source(bytes);
  io::BufferedReader reader(source);
  const auto box = read_box(reader, 0, {0, bytes.size()});
  if (!box) return box.error();
  return ItemLocations::read(reader, *box, -1, 1 << 20);
}

// Where each extent of each item in the file lies, as an independent reader sees it.
std::vector<std::uint64_t> addresses(const Bytes& bytes) {
  std::size_t at = 8;
  const auto take = [&](unsigned width) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < width; ++i)
      value = value << 8 | static_cast<std::uint64_t>(bytes[at++]);
    return value;
  };
  const unsigned version = static_cast<unsigned>(take(1));
  take(3);
  const std::uint64_t widths = take(2);
  const auto width = [&](unsigned shift) { return static_cast<unsigned>(widths >> shift & 15); };
  const std::uint64_t count = take(version < 2 ? 2 : 4);
  std::vector<std::uint64_t> found;
  for (std::uint64_t i = 0; i < count; ++i) {
    take(version < 2 ? 2 : 4);
    const std::uint64_t method = take(version > 0 ? 2 : 0) & 15;
    const std::uint64_t reference = take(2);
    const std::uint64_t base = take(width(4));
    const std::uint64_t extents = take(2);
    for (std::uint64_t e = 0; e < extents; ++e) {
      take(version > 0 ? width(0) : 0);
      const std::uint64_t offset = take(width(12));
      take(width(8));
      if (method == 0 && reference == 0) found.push_back(base + offset);
    }
  }
  return found;
}

test::Blob random_iloc() {
  test::ItemLocations locations;
  locations.version = *rc::gen::inRange(0U, 3U);
  locations.offset_size = *rc::gen::element(0, 4, 8);
  locations.length_size = 4;
  locations.base_offset_size = *rc::gen::element(0, 4, 8);
  locations.index_size = locations.version > 0 ? *rc::gen::element(0, 4) : 0;
  const auto items = *rc::gen::inRange(1, 6);
  for (int i = 0; i < items; ++i) {
    test::Item item;
    item.id = static_cast<std::uint32_t>(i + 1);
    if (locations.version > 0) item.construction_method = *rc::gen::inRange(0U, 2U);
    if (locations.base_offset_size > 0) item.base = {"", *rc::gen::inRange<std::uint64_t>(0, 3000)};
    const auto extents = *rc::gen::inRange(1, 4);
    for (int e = 0; e < extents; ++e) {
      test::ItemExtent extent;
      if (locations.offset_size > 0)
        extent.offset = {"", *rc::gen::inRange<std::uint64_t>(0, 3000)};
      extent.length = 10;
      item.extents.push_back(extent);
    }
    locations.items.push_back(item);
  }
  return test::iloc(locations);
}

TEST_CASE("every address is mapped, whatever the fields, and no other changes") {
  CHECK(rc::check([] {
    const Bytes old = random_iloc().to_vector();
    auto iloc = read_iloc(old);
    RC_ASSERT(iloc.has_value());
    OffsetMap map;
    map.add(*rc::gen::inRange<std::uint64_t>(0, 2000),
            *rc::gen::element<std::int64_t>(0, 500, 5'000'000'000));
    map.add(*rc::gen::inRange<std::uint64_t>(2000, 5000),
            *rc::gen::element<std::int64_t>(300, 500));
    while (iloc->widen_for(map)) {
    }
    const Bytes now = iloc->rewrite(map);
    RC_ASSERT(now.size() == old.size() + iloc->growth());
    const auto before = addresses(old);
    const auto after = addresses(now);
    RC_ASSERT(before.size() == after.size());
    for (std::size_t i = 0; i < before.size(); ++i) RC_ASSERT(after[i] == *map.map(before[i]));
    // Undone, it is what it was.
    iloc->reset();
    RC_ASSERT(iloc->rewrite(OffsetMap()) == old);
  }));
}

TEST_CASE("a box cut off anywhere is refused") {
  test::ItemLocations locations;
  locations.items = {{.id = 1, .extents = {{.offset = {"", 100}, .length = 5}}},
                     {.id = 2, .extents = {{.offset = {"", 200}, .length = 5}}}};
  const Bytes whole = test::iloc(locations).to_vector();
  REQUIRE(read_iloc(whole));
  for (std::size_t size = 8; size < whole.size(); ++size) {
    Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    part[3] = static_cast<std::byte>(size);
    INFO(size);
    const auto iloc = read_iloc(part);
    REQUIRE_FALSE(iloc);
    CHECK(iloc.error().code == ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace shunt::boxes
