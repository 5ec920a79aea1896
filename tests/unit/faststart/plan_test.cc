#include "shunt/faststart/plan.h"

#include "shunt/faststart/strategies/table.h"
#include "support/catch.h"
#include "support/recipes.h"
#include "support/temp_dir.h"

namespace shunt::faststart {
namespace {

using Bytes = std::vector<std::byte>;

Bytes read_all(const io::Source& source) {
  Bytes bytes(static_cast<std::size_t>(source.size()));
  REQUIRE(source.read_at(0, bytes).value() == bytes.size());
  return bytes;
}

TEST_CASE("the plan of a plan says already, for every strategy and every movie") {
  for (const test::Recipe& recipe : test::recipes()) {
    if (recipe.expect != test::Expect::kMove) continue;
    const test::Blob blob = recipe.build();
    if (blob.size() > (64 << 20)) continue;  // the sparse ones: tests/cli has them
    const auto source = std::make_shared<const io::MemorySource>(blob.to_vector());
    for (const Strategy* const strategy : all_strategies()) {
      for (const std::uint64_t padding : {0U, 1000U}) {
        INFO(recipe.name << " " << strategy->name() << " " << padding);
        auto movie = mp4::read_movie(source);
        REQUIRE(movie);
        const auto plan = strategy->plan(*movie, {padding, 4096});
        if (!plan) {
          CHECK(plan.error().code == ErrorCode::kUnsuitable);
          CHECK(strategy == strategy_named("reserve"));
          continue;
        }
        const auto result = std::make_shared<const io::MemorySource>(read_all(plan->layout));
        const auto again = mp4::map_file(*result);
        REQUIRE(again);
        CHECK(again->moov_in_front);
        CHECK(again->moov.range.size() == plan->sizing.moov_size);
        CHECK(plan->sizing.free_size >= padding);
      }
    }
  }
}

TEST_CASE("an edit and the layout of the same plan are the same bytes") {
  const auto source = std::make_shared<const io::MemorySource>(
      test::find_recipe("trailing-uuid")->build().to_vector());
  auto movie = mp4::read_movie(source);
  REQUIRE(movie);
  const auto plan = strategy_named("insert")->plan(*movie, {0, 4096});
  REQUIRE(plan);
  const in_place::Edit& edit = *plan->edit;
  Bytes edited = read_all(*source);
  edited.insert(edited.begin() + static_cast<std::ptrdiff_t>(edit.gap_at), edit.gap_size,
                std::byte{0});
  const Bytes front = read_all(*edit.front);
  std::fill(edited.begin() + static_cast<std::ptrdiff_t>(edit.front_at.begin),
            edited.begin() + static_cast<std::ptrdiff_t>(edit.front_at.end), std::byte{0});
  std::copy(front.begin(), front.end(),
            edited.begin() + static_cast<std::ptrdiff_t>(edit.front_at.begin));
  REQUIRE(edit.mark);
  const auto mark = edit.mark->encode(edit.mark->new_value);
  std::copy_n(mark.begin(), 4,
              edited.begin() + static_cast<std::ptrdiff_t>(edit.moved(edit.mark->at)));
  CHECK(edited == read_all(plan->layout));
}

TEST_CASE("a copy keeps the old moov as free where fragments count across it") {
  for (const test::Recipe& recipe : test::recipes()) {
    if (recipe.name != "tfhd-base-after" && recipe.name != "moov-between-mdats") continue;
    const auto source = std::make_shared<const io::MemorySource>(recipe.build().to_vector());
    auto movie = mp4::read_movie(source);
    REQUIRE(movie);
    const auto plan = strategy_named("copy")->plan(*movie, {0, 1});
    REQUIRE(plan);
    CHECK(plan->sizing.drops_old_moov == (recipe.name == "moov-between-mdats"));
  }
}

TEST_CASE("a shift opens enough that its steps are worth their syncs") {
  const test::TempDir dir;
  test::find_recipe("sparse-5g")->build().write_file(dir.file("a"));
  auto movie = mp4::read_movie(io::FileSource::open(dir.file("a")).value());
  REQUIRE(movie);
  const auto plan = strategy_named("shift")->plan(*movie, {0, 4096});
  REQUIRE(plan);
  CHECK(plan->sizing.shift >= (8 << 20));
  CHECK(plan->sizing.shift <= (16 << 20) + 4096);
}

}  // namespace
}  // namespace shunt::faststart
