// The table of strategies: how `auto` goes through it, and that a strategy is added without
// touching anything else.
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "shunt/faststart/choose.h"
#include "shunt/faststart/faststart.h"
#include "shunt/faststart/strategies/table.h"
#include "shunt/layout/realise.h"
#include "shunt/mp4/media_place.h"
#include "support/catch.h"
#include "support/recipes.h"
#include "support/temp_dir.h"

namespace shunt::faststart {
namespace {

// Writes the new file as copy does, unless it is told to fail.
class Toy final : public Strategy {
 public:
  explicit Toy(Result<void> result = {}) : result_(std::move(result)) {}

  std::string_view name() const override { return "toy"; }
  bool keeps_inode() const override { return false; }
  Result<Plan> plan(mp4::Movie& movie, const PlanOptions& options) const override {
    mp4::Room room;
    room.at = movie.file.insert_at;
    room.padding = options.padding;
    return build_plan(movie, *this, room, std::nullopt);
  }
  std::string describe(const Plan& /*plan*/, NewFileGoes /*where*/) const override {
    return "it is played with";
  }
  Cost cost(const Plan& plan) const override { return {.to_read = 1, .space = plan.size_after()}; }
  std::string why_not(const Plan& /*plan*/, const Setting& /*setting*/) const override {
    return why_not_;
  }
  Result<void> run(const Plan& plan, Work& work) const override {
    ++runs;
    if (!result_ && !writes_first) return result_;
    if (!result_) {
      SHUNT_TRY(work.make_new(plan, [](const io::FileRange& /*source*/, io::File& out) {
        return out.write_at(0, std::vector<std::byte>(std::size_t{1} << 20, std::byte{'x'}));
      }));
      return result_;
    }
    return work.make_new(plan, [&](const io::FileRange& /*source*/, io::File& out) {
      return layout::write_file(plan.layout, out, work.context());
    });
  }

  std::string why_not_;
  bool can_be_forced() const override { return forced; }

  bool forced = true;
  bool writes_first = false;  // before it fails: into a new file alone
  mutable int runs = 0;

 private:
  Result<void> result_;
};

struct Film {
  test::TempDir dir;
  std::string path = dir.file("film.mp4");

  Film() { test::find_recipe("plain")->build().write_file(path); }
  [[nodiscard]] bool in_front() const {
    return moov_is_in_front(io::FileSource::open(path).value()).value();
  }
};

Report run_with(const Film& film, const std::vector<const Strategy*>& table, bool dry_run = false) {
  Options options;
  options.strategies = table;
  options.dry_run = dry_run;
  return run_in_place(film.path, options);
}

TEST_CASE("the names in the table differ, and lead to their rows") {
  std::set<std::string_view> names;
  for (const Strategy* const strategy : all_strategies()) {
    CHECK(names.insert(strategy->name()).second);
    CHECK(strategy_named(strategy->name()) == strategy);
  }
  CHECK(strategy_named("auto") == nullptr);
}

TEST_CASE("one strategy of the table at least makes what goes into a pipe") {
  CHECK(std::ranges::any_of(all_strategies(), &Strategy::goes_into_streams));
}

TEST_CASE("a strategy is a row of the table") {
  const Film film;
  const Toy toy;
  const Report report = run_with(film, {&toy, strategy_named("copy")});
  CHECK_FALSE(report.error);
  CHECK(report.strategy == &toy);
  CHECK(film.in_front());
}

TEST_CASE("a dry run describes a strategy in its own words, at its own cost") {
  const Film film;
  const Toy toy;
  const Report report = run_with(film, {&toy, strategy_named("copy")}, true);
  REQUIRE(report.assessments.size() == 2);
  CHECK(report.strategy == &toy);
  CHECK(report.assessments[0].reason == "it is played with");
  CHECK(report.disk_space == report.size_after);
  CHECK(toy.runs == 0);
}

TEST_CASE("auto takes the next one where one says that it cannot") {
  const Film film;
  Toy toy;
  toy.why_not_ = "nobody plays here";
  const Report report = run_with(film, {&toy, strategy_named("copy")});
  CHECK_FALSE(report.error);
  CHECK(report.strategy == strategy_named("copy"));
  CHECK(toy.runs == 0);
}

TEST_CASE("auto takes the next one where one finds out that it cannot") {
  const Film film;
  const Toy toy(unsuitable("it is no toy"));
  const Report report = run_with(film, {&toy, strategy_named("copy")});
  CHECK_FALSE(report.error);
  CHECK(report.strategy == strategy_named("copy"));
  CHECK(toy.runs == 1);
}

TEST_CASE("a failure that is no matter of the strategy ends the run") {
  const Film film;
  const Toy toy(system_error(EIO, film.path, "write"));
  const Report report = run_with(film, {&toy, strategy_named("copy")});
  REQUIRE(report.error);
  CHECK(report.error->system_errno == EIO);
  CHECK_FALSE(film.in_front());
}

TEST_CASE("a new file that does not fit leaves the file to an edit in place") {
  CHECK(leaves_to_others(*strategy_named("copy"), system_error(ENOSPC, "", "write")));
  CHECK(leaves_to_others(*strategy_named("reflink"), system_error(EXDEV, "", "rename")));
  CHECK_FALSE(leaves_to_others(*strategy_named("shift"), system_error(ENOSPC, "", "write")));
}

TEST_CASE("with --keep-inode only those that change the file itself are tried") {
  Options options;
  options.keep_inode = true;
  const auto left = candidates(options);
  CHECK_FALSE(left.empty());
  CHECK(std::ranges::all_of(left, &Strategy::keeps_inode));
}

TEST_CASE("what is asked for by name is run whatever auto would think of it") {
  const Film film;
  Toy toy;
  toy.why_not_ = "nobody plays here";
  Options options;
  options.strategy = &toy;
  CHECK_FALSE(run_in_place(film.path, options).error);
  CHECK(toy.runs == 1);
}

TEST_CASE("one that may lose bytes where it is passed over is not run by name either") {
  const Film film;
  Toy toy;
  toy.forced = false;
  toy.why_not_ = "it would be torn here";
  Options options;
  options.strategy = &toy;
  const Report report = run_in_place(film.path, options);
  REQUIRE(report.error);
  CHECK(toy.runs == 0);
  CHECK_FALSE(strategy_named("insert")->can_be_forced());
}

TEST_CASE("into another file only strategies that make one are tried") {
  const Film film;
  const Toy toy;
  Options options;
  const std::vector<const Strategy*> table{strategy_named("shift"), &toy, strategy_named("copy")};
  options.strategies = table;
  const auto source = open_source(film.path, Reading::kWholeFile).value();
  const Report report = run_to_file(source, film.dir.file("out.mp4"), options);
  CHECK_FALSE(report.error);
  CHECK(report.strategy == &toy);
}

TEST_CASE("nothing is left of what a strategy wrote before it found out that it cannot") {
  const Film film;
  Toy toy(unsuitable("it is no toy"));
  toy.writes_first = true;
  Options options;
  options.padding = 65'536;  // zeros, which are not written
  const std::vector<const Strategy*> table{&toy, strategy_named("copy")};
  options.strategies = table;
  const auto source = open_source(film.path, Reading::kWholeFile).value();
  REQUIRE_FALSE(run_to_file(source, film.dir.file("tried.mp4"), options).error);
  CHECK(toy.runs == 1);
  options.strategies = all_strategies();
  options.strategy = strategy_named("copy");
  REQUIRE_FALSE(run_to_file(source, film.dir.file("copied.mp4"), options).error);
  const bool same =
      test::content(film.dir.file("tried.mp4")) == test::content(film.dir.file("copied.mp4"));
  CHECK(same);
}

}  // namespace
}  // namespace shunt::faststart
