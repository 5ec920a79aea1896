// Offsets outside moov: where the scan finds them, and what becomes of them when bytes move.
#include "shunt/mp4/field_scan.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shunt/base/big_endian.h"
#include "shunt/boxes/limits.h"
#include "support/catch.h"
#include "support/mp4_builder.h"

namespace shunt::mp4 {
namespace {

using Catch::Contains;
using test::Blob;
using test::box;
using test::full_box;

constexpr std::string_view kC2paId = "d8fec3d61b0e483c92975828877ec481";

// What the scan finds in a file of one top-level box at byte 24, behind another one.
Result<FieldModel> scanned(const Blob& box, std::optional<boxes::Budget> budget = {}) {
  const Blob file = test::cat(test::box("skip", Blob().zeros(16)), box);
  const auto source = std::make_shared<const io::MemorySource>(file.to_vector());
  FileMap map;
  map.size = source->size();
  map.with_offsets = {24};
  boxes::Budget left = budget.value_or(boxes::Budget());
  return scan_fields(source, map, boxes::Zones{}, BoxModel{}, left);
}

// A tfra of such a version, whose entries have numbers of these sizes (each 0 to 3: bytes less 1)
// and offsets 1000, 2000, …
Blob tfra_of(unsigned version, unsigned sizes, std::uint32_t count, std::uint32_t said) {
  Blob entries;
  const int width = version == 1 ? 8 : 4;
  for (std::uint32_t i = 0; i < count; ++i) {
    entries.uint(width, 90'000U * i).uint(width, 1000U * (i + 1));
    for (const unsigned shift : {4U, 2U, 0U}) entries.zeros((sizes >> shift & 3U) + 1);
  }
  return full_box("tfra", version, 0, Blob().u32(7).u32(sizes).u32(said), entries);
}

TEST_CASE("field scan: the entries of a tfra, whatever their sizes") {
  const unsigned version = GENERATE(0U, 1U);
  for (unsigned sizes = 0; sizes < 64; ++sizes) {
    INFO(sizes);
    const auto model = scanned(box("mfra", test::free_box(12), tfra_of(version, sizes, 3, 3)));
    REQUIRE(model);
    REQUIRE(model->fields.size() == 3);
    const std::uint32_t width = version == 1 ? 8 : 4;
    // mfra, free, tfra and its head.
    std::uint64_t at = 24 + 8 + 12 + 8 + 16 + width;
    for (std::uint32_t i = 0; i < 3; ++i) {
      const OffsetField& field = model->fields[i];
      CHECK(field.at == at);
      CHECK(field.width == width);
      CHECK(field.value == 1000U * (i + 1));
      CHECK(field.target == field.value);
      at += 2 * width + 3 + (sizes >> 4 & 3U) + (sizes >> 2 & 3U) + (sizes & 3U);
    }
  }
}

TEST_CASE("field scan: a tfra that says more than it has is refused") {
  const auto refused = scanned(box("mfra", tfra_of(0, 0, 3, 4)));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kCorrupt);
  // By its fields, and before anything is made of its number.
  CHECK_FALSE(scanned(box("mfra", tfra_of(1, 0x3f, 1, 0xffffffff))));
  CHECK_FALSE(scanned(box("mfra", full_box("tfra", 0, 0, Blob().u32(7).u32(0)))));
  CHECK(scanned(box("mfra", tfra_of(0, 0, 0, 0)))->fields.empty());
}

TEST_CASE("field scan: fields are counted, by number and by what they take") {
  constexpr auto kMost = static_cast<std::uint32_t>(boxes::kMaxFields);
  CHECK(scanned(box("mfra", tfra_of(0, 0, kMost, kMost)))->fields.size() == kMost);
  const auto too_many = scanned(box("mfra", tfra_of(0, 0, kMost + 1, kMost + 1)));
  REQUIRE_FALSE(too_many);
  CHECK(too_many.error().code == ErrorCode::kCorrupt);
  CHECK_THAT(too_many.error().reason, Contains("too many offset fields"));

  boxes::Budget small;
  REQUIRE(small.take(boxes::Budget::kBytes - 2 * boxes::Budget::kField));
  CHECK(scanned(box("mfra", tfra_of(0, 0, 2, 2)), small));
  const auto beyond = scanned(box("mfra", tfra_of(0, 0, 3, 3)), small);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().reason == boxes::kBeyondBudget);
}

// The payload behind version and flags.
Blob c2pa(const Blob& rest) {
  return test::uuid_box(kC2paId, Blob().u32(0), rest);
}

TEST_CASE("field scan: a content credential has an offset for some purposes") {
  for (const std::string purpose : {"manifest", "original", "update"}) {
    INFO(purpose);
    const auto model = scanned(c2pa(Blob().text(purpose).u8(0).u64(0x1'0000'0004).zeros(9)));
    REQUIRE(model);
    REQUIRE(model->fields.size() == 1);
    CHECK(model->fields[0].at == 24 + 8 + 16 + 4 + purpose.size() + 1);
    CHECK(model->fields[0].width == 8);
    CHECK(model->fields[0].value == 0x1'0000'0004);
    CHECK(model->warnings.size() == 1);
    CHECK_THAT(model->warnings.at(0), Contains("byte 24"));
    // 0: there is none.
    CHECK(scanned(c2pa(Blob().text(purpose).u8(0).u64(0)))->fields.empty());
    // Cut off, or the beginning of another purpose.
    CHECK(scanned(c2pa(Blob().text(purpose).u8(0).u32(5)))->fields.empty());
    CHECK(scanned(c2pa(Blob().text(purpose + "s").u8(0).u64(UINT64_MAX).zeros(9)))->fields.empty());
  }
  const auto merkle = scanned(c2pa(Blob().text("merkle").u8(0).u64(5).zeros(9)));
  CHECK(merkle->fields.empty());
  CHECK(merkle->warnings.size() == 1);
}

TEST_CASE("field scan: any other uuid has none, and breaks nothing") {
  std::string other(kC2paId);
  other.back() = '2';
  const auto model =
      scanned(test::uuid_box(other, Blob().u32(0).text("manifest").u8(0).u64(5).zeros(9)));
  CHECK(model->fields.empty());
  CHECK(model->warnings.empty());
  CHECK(scanned(box("uuid", Blob().zeros(15)))->warnings.empty());
}

TEST_CASE("field scan: metas with an item location are kept, and no others") {
  test::ItemLocations locations;
  test::Item item;
  item.extents = {{.offset = {{}, 5'000}, .length = 10}};
  locations.items = {item};
  CHECK(scanned(test::meta(locations))->metas.size() == 1);
  CHECK(scanned(full_box("meta", 0, 0, test::free_box(20)))->metas.empty());
  CHECK(scanned(box("meco", test::meta(locations)))->metas.size() == 1);
}

// ---- patches ------------------------------------------------------------------------------------

FieldModel model_of(const std::vector<OffsetField>& fields) {
  FieldModel model;
  model.fields = fields;
  return model;
}

boxes::OffsetMap moved_from(std::uint64_t begin, std::int64_t delta) {
  boxes::OffsetMap map;
  map.add(begin, delta);
  return map;
}

TEST_CASE("patches: a field moves as what it points at does") {
  // The last one counts from byte 500, and what it stands for lies at 1500.
  const auto patches = patch_fields(model_of({{100, 4, 999, 999},
                                              {200, 4, 1000, 1000},
                                              {300, 8, 1U << 31U, 1U << 31U},
                                              {400, 8, 500, 1500}}),
                                    moved_from(1000, 70));
  REQUIRE(patches);
  REQUIRE(patches->size() == 3);
  CHECK(patches->at(0).at == 200);
  CHECK(patches->at(0).width == 4);
  CHECK(patches->at(0).old_value == 1000);
  CHECK(patches->at(0).new_value == 1070);
  CHECK(patches->at(1).new_value == (std::uint64_t{1} << 31U) + 70);
  CHECK(patches->at(2).at == 400);
  CHECK(patches->at(2).width == 8);
  CHECK(patches->at(2).new_value == 570);
}

TEST_CASE("patches: a value that outgrows its field is refused where it stands") {
  const std::uint64_t largest = 0xffffffff;
  CHECK(patch_fields(model_of({{100, 4, largest - 70, largest - 70}}), moved_from(0, 70)));
  const auto refused =
      patch_fields(model_of({{100, 4, largest - 69, largest - 69}}), moved_from(0, 70));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kCorrupt);
  CHECK(refused.error().offset == 100U);
  CHECK_THAT(refused.error().reason, Contains("4 GiB"));
  CHECK(patch_fields(model_of({{100, 8, largest - 69, largest - 69}}), moved_from(0, 70))
            ->at(0)
            .new_value == largest + 1);
}

TEST_CASE("patches: a value that would leave the numbers stays") {
  CHECK(patch_fields(model_of({{100, 8, UINT64_MAX - 1, UINT64_MAX - 1}}), moved_from(0, 70))
            ->empty());
  CHECK(patch_fields(model_of({{100, 8, 10, 2000}}), moved_from(1000, -70))->empty());
}

TEST_CASE("patches: those of items make of the old bytes the new ones, in order with the others") {
  test::ItemLocations locations;
  for (std::uint32_t id = 1; id <= 3; ++id) {
    test::Item item;
    item.id = id;
    item.extents = {{.offset = {{}, 4'000U + 1'000U * id}, .length = 10}};
    locations.items.push_back(item);
  }
  const Blob meta = test::meta(locations);
  auto model = scanned(meta);
  REQUIRE(model);
  REQUIRE(model->metas.size() == 1);
  model->fields = {{10'000, 4, 7'000, 7'000}};
  const auto patches = patch_fields(*model, moved_from(6'000, 0x0101));
  REQUIRE(patches);
  REQUIRE(patches->size() >= 3);
  CHECK(patches->back().at == 10'000);
  CHECK(std::ranges::is_sorted(*patches, {}, &layout::FieldPatch::at));

  // An item moves by its base, where it has one.
  for (const std::size_t i : {1U, 2U}) locations.items[i].base.addend = 0x0101;
  const auto expected = test::meta(locations).to_vector();
  auto bytes = meta.to_vector();
  for (const layout::FieldPatch& patch : *patches) {
    if (patch.at == 10'000) continue;
    std::byte* const field = bytes.data() + (patch.at - 24);
    CHECK(load_be<std::uint32_t>(field) == patch.old_value);
    store_be<std::uint32_t>(field, static_cast<std::uint32_t>(patch.new_value));
  }
  CHECK((bytes == expected));
}

}  // namespace
}  // namespace shunt::mp4
