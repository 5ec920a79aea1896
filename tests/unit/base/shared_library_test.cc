// C libraries that are loaded when they are first needed.
#include "shunt/base/shared_library.h"

#include "shunt/base/crypto_library.h"
#include "support/catch.h"

namespace shunt {
namespace {

TEST_CASE("a library that is not there is an error that says what to install") {
  const auto library = SharedLibrary::load("libno-such-thing.so.9", "libno-such-thing9");
  REQUIRE_FALSE(library);
  CHECK(library.error().code == ErrorCode::kFailed);
  CHECK(library.error().describe().find("libno-such-thing.so.9") != std::string::npos);
  CHECK(library.error().hint.find("Debian: libno-such-thing9") != std::string::npos);
}

TEST_CASE("a library that lacks a function is named with it, and none is looked up from then on") {
  auto library = SharedLibrary::load("libc.so.6", "libc6").value();
  int (*absent)() = nullptr;
  int (*getpid)() = nullptr;
  library.find(absent, "no_such_function_anywhere");
  library.find(getpid, "getpid");
  CHECK(absent == nullptr);
  CHECK(getpid == nullptr);
  const auto found = library.found_all();
  REQUIRE_FALSE(found);
  CHECK(found.error().reason == "libc.so.6 has no no_such_function_anywhere");
}

TEST_CASE("libcrypto is found by the name that its headers belong to") {
  CHECK(crypto().sha256() != nullptr);
}

}  // namespace
}  // namespace shunt
