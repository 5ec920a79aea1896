// Which strategy is chosen: for each combination of a file, what its file system can do, and what
// was asked for; and which failures leave the file to the next one.
#include "shunt/faststart/choose.h"

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shunt/faststart/strategies/table.h"
#include "support/catch.h"
#include "support/mp4_builder.h"
#include "support/recipes.h"
#include "support/temp_dir.h"

namespace shunt::faststart {
namespace {

using Catch::Contains;

// A file system that can do nothing in particular, and has room.
Setting plain_setting() {
  Setting setting;
  setting.has_status = true;
  setting.status.st_nlink = 1;
  setting.status.st_blocks = 1'000'000;
  setting.file_system.name = "toyfs";
  setting.file_system.free_bytes = std::uint64_t{1} << 40;
  return setting;
}

// A movie with more media than any step of a shift.
test::Blob large_film() {
  const test::Blob stco = test::box("stco", test::Blob().u32(0).u32(1).u32(40));
  const test::Blob trak =
      test::box("trak", test::box("mdia", test::box("minf", test::box("stbl", stco))));
  return test::cat(test::ftyp(), test::box("mdat", test::Blob().zeros(300'000)),
                   test::box("moov", trak));
}

// Of a recipe, or that one.
mp4::Movie movie_of(std::string_view recipe) {
  const auto bytes =
      (recipe == "large" ? large_film() : test::find_recipe(recipe)->build()).to_vector();
  return mp4::read_movie(std::make_shared<const io::MemorySource>(bytes)).value();
}

// Why a strategy is not run; empty when it is.
std::string why_passed_over(const Strategy& strategy, mp4::Movie& movie, const Setting& setting,
                            const Options& options) {
  const auto plan = strategy.plan(movie, {options.padding, setting.file_system.block_size});
  if (plan) return why_not_run(*plan, setting, options);
  CHECK(plan.error().code == ErrorCode::kUnsuitable);
  return plan.error().reason;
}

// The first one that is run; "none".
std::string_view chosen(const Setting& setting, const Options& options = {},
                        std::string_view recipe = "large") {
  mp4::Movie movie = movie_of(recipe);
  for (const Strategy* const strategy : candidates(options)) {
    if (why_passed_over(*strategy, movie, setting, options).empty()) return strategy->name();
  }
  return "none";
}

using Change = std::function<void(Setting&)>;
Setting with(const std::vector<Change>& changes) {
  Setting setting = plain_setting();
  for (const Change& change : changes) change(setting);
  return setting;
}

const Change kInserts = [](Setting& s) { s.file_system.insert_range = true; };
const Change kShares = [](Setting& s) { s.file_system.clone_range = true; };
const Change kCopiesOnWrite = [](Setting& s) { s.file_system.copies_on_write = true; };
const Change kTwoNames = [](Setting& s) { s.status.st_nlink = 2; };
const Change kMounted = [](Setting& s) { s.file_system.is_mount_point = true; };
const Change kOtherProject = [](Setting& s) { s.is_of_other_project = true; };
Change free_bytes(std::uint64_t bytes) {
  return [bytes](Setting& s) { s.file_system.free_bytes = bytes; };
}
Change size_limit(std::uint64_t bytes) {
  return [bytes](Setting& s) { s.size_limit = bytes; };
}

// What running it on that takes of the disk.
std::uint64_t space_of(std::string_view name) {
  mp4::Movie movie = movie_of("large");
  const Strategy& strategy = *strategy_named(name);
  return strategy.cost(strategy.plan(movie, {0, 4096}).value()).space;
}

TEST_CASE("choice: by what the file system can do") {
  CHECK(chosen(with({kInserts})) == "insert");
  CHECK(chosen(with({kShares})) == "reflink");
  CHECK(chosen(with({kInserts, kShares})) == "reflink");
  CHECK(chosen(with({kCopiesOnWrite, kShares})) == "reflink");
  CHECK(chosen(with({})) == "copy");
  CHECK(chosen(with({kCopiesOnWrite})) == "copy");
}

TEST_CASE("choice: reserved room comes first, wherever it is") {
  for (const Change& can : {kInserts, kShares, kTwoNames, kMounted, kCopiesOnWrite}) {
    CHECK(chosen(with({can}), {}, "reserve-roomy") == "reserve");
    CHECK(chosen(with({can}), {}, "reserve-short") != "reserve");
  }
  Options options;
  options.padding = 4000;
  CHECK(chosen(with({kInserts}), options, "reserve-roomy") == "reserve");
  options.padding = 5000;
  CHECK(chosen(with({kInserts}), options, "reserve-roomy") == "insert");
}

TEST_CASE("choice: a file of several names keeps them") {
  CHECK(chosen(with({kTwoNames, kShares, kInserts})) == "insert");
  CHECK(chosen(with({kTwoNames, kShares})) == "shift");
  CHECK(chosen(with({kTwoNames})) == "shift");
}

TEST_CASE("choice: no new file where it could not have the name") {
  for (const Change& place : {kMounted, kOtherProject}) {
    CHECK(chosen(with({place, kShares, kInserts})) == "insert");
    CHECK(chosen(with({place, kShares})) == "shift");
    CHECK(chosen(with({place})) == "shift");
  }
}

TEST_CASE("choice: by the space that is left") {
  const std::uint64_t copy = space_of("copy");
  const std::uint64_t shift = space_of("shift");
  REQUIRE(shift < copy);
  CHECK(chosen(with({free_bytes(copy)})) == "copy");
  CHECK(chosen(with({free_bytes(copy - 1)})) == "shift");
  CHECK(chosen(with({free_bytes(shift)})) == "shift");
  CHECK(chosen(with({free_bytes(shift - 1)})) == "none");
  CHECK(chosen(with({kInserts, free_bytes(space_of("insert"))})) == "insert");
  CHECK(chosen(with({kInserts, free_bytes(space_of("insert") - 1)})) != "insert");
  CHECK(chosen(with({kShares, free_bytes(space_of("reflink"))})) == "reflink");
  CHECK(chosen(with({kShares, free_bytes(space_of("reflink") - 1)})) != "reflink");
  // Where each write takes new space, moving all takes as much as a copy.
  CHECK(chosen(with({kCopiesOnWrite, free_bytes(copy - 1)})) == "none");
  // A sparse file stays sparse in its copy, and needs less for it.
  const Change sparse = [](Setting& s) { s.status.st_blocks = 8; };
  CHECK(chosen(with({sparse, free_bytes(copy - 1)})) == "copy");
}

TEST_CASE("choice: nothing is written beyond the limit on the size of files") {
  mp4::Movie movie = movie_of("large");
  const std::uint64_t end = strategy_named("copy")->plan(movie, {0, 4096})->size_after();
  CHECK(chosen(with({size_limit(end)})) == "copy");
  CHECK(chosen(with({size_limit(end - 1)})) == "none");
  // The gap is there before the tail is cut.
  const auto inserting = strategy_named("insert")->plan(movie, {0, 4096});
  const std::uint64_t gap_end = inserting->edit->size_with_gap();
  REQUIRE(inserting->size_after() < gap_end);
  CHECK(chosen(with({kInserts, size_limit(gap_end)})) == "insert");
  CHECK(chosen(with({kInserts, size_limit(gap_end - 1)})) == "copy");
  // What is reserved lies within the file.
  const std::uint64_t size = test::find_recipe("reserve-roomy")->build().size();
  CHECK(chosen(with({size_limit(size)}), {}, "reserve-roomy") == "reserve");
  CHECK(chosen(with({size_limit(100)}), {}, "reserve-roomy") == "none");
}

TEST_CASE("choice: with --keep-inode no new file is made") {
  Options options;
  options.keep_inode = true;
  CHECK(chosen(with({kShares, kInserts}), options) == "insert");
  CHECK(chosen(with({kShares}), options) == "shift");
  CHECK(chosen(with({}), options) == "shift");
  // The one that is asked for is the only one; whoever asks for both is told before.
  options.strategy = strategy_named("copy");
  CHECK(candidates(options) == std::vector{strategy_named("copy")});
}

TEST_CASE("choice: what is asked for by name is run where it can be") {
  Options options;
  options.strategy = strategy_named("copy");
  CHECK(chosen(with({kShares, kInserts}), options) == "copy");
  CHECK(chosen(with({kTwoNames}), options) == "copy");
  CHECK(chosen(with({free_bytes(1)}), options) == "copy");  // and fails, or does not
  CHECK(chosen(with({kMounted}), options) == "none");
  CHECK(chosen(with({kOtherProject}), options) == "none");
  CHECK(chosen(with({size_limit(100)}), options) == "none");
  options.strategy = strategy_named("reflink");
  CHECK(chosen(with({}), options) == "reflink");
  options.strategy = strategy_named("insert");
  CHECK(chosen(with({kInserts}), options) == "insert");
  CHECK(chosen(with({}), options) == "none");  // it might lose bytes there
  options.strategy = strategy_named("reserve");
  CHECK(chosen(with({kInserts}), options) == "none");
}

TEST_CASE("choice: each one that is passed over says why") {
  mp4::Movie movie = movie_of("large");
  const auto reason = [&](std::string_view name, const std::vector<Change>& changes) {
    return why_passed_over(*strategy_named(name), movie, with(changes), {});
  };
  CHECK_THAT(reason("reserve", {}), Contains("no free box"));
  CHECK_THAT(reason("reflink", {}), Contains("toyfs cannot share"));
  CHECK_THAT(reason("reflink", {kShares, kTwoNames}), Contains("2 names"));
  CHECK_THAT(reason("insert", {}), Contains("toyfs cannot insert"));
  CHECK_THAT(reason("copy", {kTwoNames}), Contains("2 names"));
  CHECK_THAT(reason("copy", {kMounted}), Contains("mount point"));
  CHECK_THAT(reason("copy", {kOtherProject}), Contains("project"));
  CHECK_THAT(reason("shift", {free_bytes(10)}), Contains("only 10 B are free"));
  CHECK_THAT(reason("shift", {size_limit(100)}), Contains("ulimit"));
}

TEST_CASE("choice: which failures leave the file to the next strategy") {
  const Strategy& new_file = *strategy_named("copy");
  const Strategy& edit = *strategy_named("insert");
  CHECK(leaves_to_others(new_file, unsuitable("no")));
  CHECK(leaves_to_others(edit, unsuitable("no")));
  for (const int number : {ENOSPC, EDQUOT, EBUSY, EXDEV, EACCES, EPERM}) {
    INFO(number);
    Error error = system_error(number, "film", "write");
    error.code = ErrorCode::kLocalIo;  // whatever else it is taken for
    CHECK(leaves_to_others(new_file, error));
    CHECK_FALSE(leaves_to_others(edit, error));
  }
  for (const int number : {EIO, EROFS, ENOMEM, EFBIG, 0}) {
    INFO(number);
    Error error = system_error(number, "film", "write");
    error.code = ErrorCode::kLocalIo;
    CHECK_FALSE(leaves_to_others(new_file, error));
    CHECK_FALSE(leaves_to_others(edit, error));
  }
  for (const ErrorCode code :
       {ErrorCode::kCorrupt, ErrorCode::kIntegrity, ErrorCode::kInterrupted, ErrorCode::kBusy}) {
    Error error;
    error.code = code;
    CHECK_FALSE(leaves_to_others(new_file, error));
  }
}

// ---- the run ------------------------------------------------------------------------------------

// Fails as it is told to, and notes the units it was planned in.
class Failing final : public Strategy {
 public:
  explicit Failing(Error error, std::string_view name = "failing")
      : error_(std::move(error)), name_(name) {}

  std::string_view name() const override { return name_; }
  bool keeps_inode() const override { return true; }
  std::vector<std::uint64_t> units(std::uint64_t /*block_size*/) const override {
    return {4096, 65'536, 1 << 20};
  }
  Result<Plan> plan(mp4::Movie& movie, const PlanOptions& options) const override {
    planned.push_back(options.unit);
    return build_plan(movie, *this, room_in_front(movie, options), std::nullopt);
  }
  std::string describe(const Plan& /*plan*/, NewFileGoes /*where*/) const override { return "-"; }
  Cost cost(const Plan& /*plan*/) const override { return {}; }
  std::string why_not(const Plan& /*plan*/, const Setting& /*setting*/) const override {
    return {};
  }
  Result<void> run(const Plan& /*plan*/, Work& /*work*/) const override {
    if (planned.back() == works_with) return {};
    return error_;
  }

  mutable std::vector<std::uint64_t> planned;
  std::uint64_t works_with = 0;

 private:
  Error error_;
  std::string_view name_;
};

// A film, and that it was not touched.
struct UntouchedFilm {
  test::TempDir dir;
  std::string path = dir.file("film.mp4");
  std::string before;

  UntouchedFilm() {
    test::find_recipe("plain")->build().write_file(path);
    before = test::content(path);
  }
  Report run(const std::vector<const Strategy*>& table, Options options = {}) const {
    options.strategies = table;
    Report report = run_in_place(path, options);
    CHECK((test::content(path) == before));
    return report;
  }
};

Error misaligned() {
  Error error = unsuitable("no such unit");
  error.system_errno = EINVAL;
  return error;
}

TEST_CASE("run: another unit is tried where the file system refuses one, and only then") {
  const UntouchedFilm film;
  Failing finds_one(misaligned());
  finds_one.works_with = 65'536;
  CHECK_FALSE(film.run({&finds_one}).error);
  CHECK(finds_one.planned == std::vector<std::uint64_t>{4096, 65'536});

  const Failing finds_none(misaligned());
  CHECK(film.run({&finds_none}).error);
  CHECK(finds_none.planned == std::vector<std::uint64_t>{4096, 65'536, 1 << 20});

  const Failing no_matter_of_units(unsuitable("not here"));
  CHECK(film.run({&no_matter_of_units}).error);
  CHECK(no_matter_of_units.planned == std::vector<std::uint64_t>{4096});
}

TEST_CASE("run: where all of them fail, the report has what each of them said") {
  const UntouchedFilm film;
  const Failing first(unsuitable("not on a Monday"), "first");
  const Failing second(unsuitable("nor on any other day"), "second");
  const Report report = film.run({&first, strategy_named("reserve"), &second});
  REQUIRE(report.error);
  CHECK(report.status == Status::kFailed);
  CHECK(report.error->code == ErrorCode::kLocalIo);
  CHECK_THAT(report.error->reason, Contains("no strategy can move moov"));
  CHECK(report.strategy == nullptr);
  REQUIRE(report.assessments.size() == 3);
  CHECK(report.assessments[0].strategy == &first);
  CHECK(report.assessments[0].reason == "not on a Monday");
  CHECK_THAT(report.assessments[1].reason, Contains("no free box"));
  CHECK(report.assessments[2].reason == "nor on any other day");
  for (const Assessment& assessment : report.assessments) CHECK_FALSE(assessment.suitable);
}

TEST_CASE("run: a failure that is no matter of the strategy ends it at once") {
  const UntouchedFilm film;
  Error error = system_error(ENOSPC, film.path, "write");
  const Failing first(error);
  const Failing second(unsuitable("it is never asked"));
  const Report report = film.run({&first, &second});
  REQUIRE(report.error);
  CHECK(report.error->system_errno == ENOSPC);
  CHECK(second.planned.empty());
}

TEST_CASE("run: what is no movie, or not there, is told as such") {
  const test::TempDir dir;
  const auto error_of = [](const std::string& path) {
    const Report report = run_in_place(path, {});
    REQUIRE(report.error);
    CHECK(report.status == Status::kFailed);
    CHECK(report.error->path == path);
    return *report.error;
  };
  CHECK(error_of(dir.file("none.mp4")).system_errno == ENOENT);
  CHECK(error_of(dir.path()).code == ErrorCode::kLocalIo);
  const std::string text = dir.file("text.mp4");
  test::cat(test::Blob().text("this is a text, and no movie at all")).write_file(text);
  CHECK(error_of(text).code == ErrorCode::kCorrupt);
  test::Blob().write_file(text);
  CHECK(error_of(text).code == ErrorCode::kCorrupt);
}

TEST_CASE("run: who is asked to stop before anything is done does nothing") {
  const UntouchedFilm film;
  CancelToken cancel;
  cancel.request(15);
  Options options;
  options.context.cancel = &cancel;
  for (const std::string_view name : {"insert", "copy", "shift"}) {
    INFO(name);
    const Report report = film.run({strategy_named(name)}, options);
    REQUIRE(report.error);
    CHECK(report.error->code == ErrorCode::kInterrupted);
  }
}

TEST_CASE("run: to recover and nothing else is nothing where nothing was interrupted") {
  const UntouchedFilm film;
  Options options;
  options.recover_only = true;
  const Report report = film.run({strategy_named("copy")}, options);
  CHECK_FALSE(report.error);
  CHECK(report.status == Status::kNothing);
}

}  // namespace
}  // namespace shunt::faststart
