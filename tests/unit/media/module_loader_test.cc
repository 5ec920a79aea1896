// What is said when the media module is missing or is something else.

#include "shunt/media/module_loader.h"

#include "support/catch.h"

namespace shunt::media {
namespace {

TEST_CASE("the module is found next to the program, once for all", "[media]") {
  const auto first = load_module();
  if (!first) FAIL(first.error().describe());
  CHECK((*first)->abi_version == SHUNT_MEDIA_ABI_VERSION);
  CHECK(*load_module() == *first);
}

TEST_CASE("a missing module is an error that says how to install it", "[media]") {
  const auto missing = load_module_from({"/nonexistent/a.so", "/nonexistent/b.so"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kFailed);
  CHECK(missing.error().reason == "not found (/nonexistent/a.so, /nonexistent/b.so)");
  CHECK(missing.error().hint.starts_with("install shunt's media module"));
}

TEST_CASE("a file that is no module is named", "[media]") {
  const auto refused = load_module_from({"/nonexistent/a.so", "/proc/self/status"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kFailed);
  CHECK(refused.error().path == "/proc/self/status");
}

TEST_CASE("a later place serves when an earlier one does not", "[media]") {
  auto paths = module_paths();
  paths.insert(paths.begin(), "/proc/self/status");
  CHECK(load_module_from(paths));
}

}  // namespace
}  // namespace shunt::media
