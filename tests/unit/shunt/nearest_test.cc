#include "nearest.h"

#include "support/catch.h"

namespace shunt::cli {
namespace {

const std::vector<std::string> kOptions = {"--strategy", "--padding", "--jobs",
                                           "--json",     "-o",        "-q"};

TEST_CASE("the nearest word is found, whatever is wrong with this one") {
  CHECK(nearest("--stratgy", kOptions) == "--strategy");
  CHECK(nearest("--straetgy", kOptions) == "--strategy");
  CHECK(nearest("--Strategy", kOptions) == "--strategy");
  CHECK(nearest("--strattegy", kOptions) == "--strategy");
  CHECK(nearest("--pad", kOptions) == "--padding");
  CHECK(nearest("--job", kOptions) == "--jobs");
  CHECK(nearest("--jsn", kOptions) == "--json");
  CHECK(nearest("lst", {"ls", "stat"}) == "ls");
}

TEST_CASE("what is near nothing has no nearest word") {
  CHECK(nearest("--window", kOptions).empty());
  CHECK(nearest("", kOptions).empty());
  CHECK(nearest("-x", kOptions).empty());
  CHECK(nearest("--j", kOptions).empty());  // two begin so
  CHECK(nearest(std::string(10'000, 's'), kOptions).empty());
  CHECK(nearest("anything", {}).empty());
}

TEST_CASE("a value has to be one of those that are known") {
  const auto check = one_of({"auto", "always", "never"});
  CHECK(check("never").empty());
  CHECK(check("alway") == "it takes auto, always or never, not 'alway'; did you mean 'always'?");
  CHECK(check("") == "it takes auto, always or never, not ''");
}

}  // namespace
}  // namespace shunt::cli
