#include "io/new_file.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include "io/attributes.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::io {
namespace {

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

TEST_CASE("a new file has its name only once it is whole") {
  const test::TempDir dir;
  auto file = NewFile::create(dir.file("out"));
  REQUIRE(file);
  REQUIRE(file->file().write_at(0, as_bytes("abc")));
  CHECK_FALSE(exists(dir.file("out")));
  REQUIRE(file->commit(IfThere::kFail));
  CHECK(exists(dir.file("out")));
  CHECK_FALSE(exists(dir.file(".out.shunt-new")));
}

TEST_CASE("one that is given up leaves nothing") {
  const test::TempDir dir;
  {
    auto file = NewFile::create(dir.file("out"));
    REQUIRE(file);
  }
  CHECK_FALSE(exists(dir.file("out")));
  CHECK_FALSE(exists(dir.file(".out.shunt-new")));
}

TEST_CASE("an existing file is replaced only on request") {
  const test::TempDir dir;
  REQUIRE(File::create(dir.file("out")));
  {
    auto file = NewFile::create(dir.file("out"));
    REQUIRE(file);
    REQUIRE(file->file().write_at(0, as_bytes("abc")));
    const auto refused = file->commit(IfThere::kFail);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().hint == "--force replaces it");
  }
  CHECK_FALSE(exists(dir.file(".out.shunt-new")));
  auto file = NewFile::create(dir.file("out"));
  REQUIRE(file);
  REQUIRE(file->file().write_at(0, as_bytes("abc")));
  REQUIRE(file->commit(IfThere::kReplace));
  CHECK(File::open_to_read(dir.file("out"))->size().value() == 3);
}

TEST_CASE("a leftover is taken away, one in use is not") {
  const test::TempDir dir;
  REQUIRE(File::create(dir.file(".out.shunt-new")));
  auto first = NewFile::create(dir.file("out"));
  REQUIRE(first);
  const auto second = NewFile::create(dir.file("out"));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kBusy);
}

TEST_CASE("attributes go along") {
  const test::TempDir dir;
  auto from = File::create(dir.file("from"));
  auto to = File::create(dir.file("to"));
  REQUIRE(from);
  REQUIRE(to);
  REQUIRE(::fchmod(from->fd(), 0640) == 0);
  const struct timespec times[2] = {{1000, 5}, {2000, 6}};
  REQUIRE(::futimens(from->fd(), times) == 0);
  const bool has_xattr = ::fsetxattr(from->fd(), "user.shunt", "abc", 3, 0) == 0;
  const auto attributes = Attributes::of(*from);
  REQUIRE(attributes);
  REQUIRE(attributes->apply_to(*to));
  const auto status = to->status();
  REQUIRE(status);
  CHECK((status->st_mode & 07777) == 0640);
  CHECK(status->st_atim.tv_sec == 1000);
  CHECK(status->st_mtim.tv_sec != 2000);
  if (has_xattr) {
    char value[8] = {};
    CHECK(::fgetxattr(to->fd(), "user.shunt", value, sizeof value) == 3);
    CHECK(std::string_view(value) == "abc");
  }
}

}  // namespace
}  // namespace shunt::io
