#include "shunt/io/temporary.h"

#include <cstdlib>

#include "support/catch.h"

namespace shunt::io {
namespace {

// Puts the variable back at its end.
class Tmpdir {
 public:
  Tmpdir() {
    if (const char* const value = std::getenv("TMPDIR"); value != nullptr) before_ = value;
  }
  ~Tmpdir() {
    if (before_) {
      ::setenv("TMPDIR", before_->c_str(), 1);
    } else {
      ::unsetenv("TMPDIR");
    }
  }
  Tmpdir(const Tmpdir&) = delete;
  Tmpdir& operator=(const Tmpdir&) = delete;

 private:
  std::optional<std::string> before_;
};

TEST_CASE("what is put by goes to $TMPDIR, or else to disk") {
  const Tmpdir restore;
  ::setenv("TMPDIR", "/some/where", 1);
  CHECK(temporary_folder() == "/some/where");
  for (const char* const no_place : {"", "relative", "./here"}) {
    ::setenv("TMPDIR", no_place, 1);
    CHECK(temporary_folder() == "/var/tmp");
  }
  ::unsetenv("TMPDIR");
  CHECK(temporary_folder() == "/var/tmp");
  CHECK_FALSE(folder_of_tmpdir());
}

}  // namespace
}  // namespace shunt::io
