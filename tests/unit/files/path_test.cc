#include "shunt/files/path.h"

#include <sys/stat.h>
#include <unistd.h>

#include "shunt/files/lock.h"
#include "shunt/io/file.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::files {
namespace {

struct stat status_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

TEST_CASE("directories are made for their owner alone") {
  const test::TempDir dir;
  REQUIRE(make_directories(dir.file("a/b//c/")));
  CHECK((status_of(dir.file("a")).st_mode & 07777) == 0700);
  CHECK((status_of(dir.file("a/b/c")).st_mode & 07777) == 0700);
  REQUIRE(::chmod(dir.file("a/b/c").c_str(), 0755) == 0);
  REQUIRE(make_directories(dir.file("a/b/c")));
  CHECK((status_of(dir.file("a/b/c")).st_mode & 07777) == 0755);
  REQUIRE(io::File::create(dir.file("file")));
  const auto refused = make_directories(dir.file("file/x"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLocalIo);
  CHECK_FALSE(make_directories(dir.file("file")));
}

TEST_CASE("a directory that cannot be made is told apart from one that is there") {
  const test::TempDir dir;
  REQUIRE(::symlink("nowhere", dir.file("link").c_str()) == 0);
  const auto dangling = make_directories(dir.file("link"));
  REQUIRE_FALSE(dangling);
  CHECK(dangling.error().path == dir.file("link"));
  CHECK(dangling.error().reason.find("symbolic link to nowhere") != std::string::npos);
  REQUIRE(::mkdir(dir.file("nowhere").c_str(), 0700) == 0);
  CHECK(make_directories(dir.file("link")));
}

TEST_CASE("names of descriptors are known, through links") {
  const test::TempDir dir;
  const auto file = io::File::create(dir.file("file"));
  REQUIRE(file);
  const std::string number = std::to_string(file->fd());
  CHECK(descriptor_named("/dev/fd/" + number) == file->fd());
  CHECK(descriptor_named("/proc/self/fd/" + number) == file->fd());
  CHECK(descriptor_named("/dev/stdout") == 1);
  REQUIRE(::symlink("/dev/stdout", dir.file("link").c_str()) == 0);
  REQUIRE(::symlink("link", dir.file("link to it").c_str()) == 0);
  REQUIRE(::symlink("loop", dir.file("loop").c_str()) == 0);
  CHECK(descriptor_named(dir.file("link to it")) == 1);
  for (const std::string& other :
       {dir.file("file"), dir.file("missing"), dir.file("loop"), dir.file("missing/1"),
        std::string("/dev/fd/999999"), std::string("/dev/fd/"), std::string("/dev/fd/1x"),
        std::string("1"), std::string()}) {
    INFO(other);
    CHECK_FALSE(descriptor_named(other));
  }
}

TEST_CASE("a name that is taken is replaced or left alone, as asked") {
  const test::TempDir dir;
  REQUIRE(io::File::create(dir.file("a")));
  REQUIRE(io::File::create(dir.file("b")));
  const ino_t a = status_of(dir.file("a")).st_ino;
  const auto refused = rename_no_replace(dir.file("a"), dir.file("b"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().system_errno == EEXIST);
  CHECK(status_of(dir.file("a")).st_ino == a);
  REQUIRE(rename_over(dir.file("a"), dir.file("b")));
  CHECK(status_of(dir.file("b")).st_ino == a);
  REQUIRE(rename_no_replace(dir.file("b"), dir.file("c")));
  CHECK(status_of(dir.file("c")).st_ino == a);
}

TEST_CASE("a lock is tried once and says how that went") {
  const test::TempDir dir;
  const auto first = io::File::open_or_create(dir.file("lock"));
  const auto second = io::File::open_or_create(dir.file("lock"));
  REQUIRE(first);
  REQUIRE(second);
  CHECK(try_lock(*first, LockKind::kShared) == LockOutcome::kTaken);
  CHECK(try_lock(*second, LockKind::kShared) == LockOutcome::kTaken);
  CHECK(try_lock(*second, LockKind::kExclusive) == LockOutcome::kHeldElsewhere);
  unlock(*first);
  CHECK(try_lock(*second, LockKind::kExclusive) == LockOutcome::kTaken);
  CHECK(try_lock(*first, LockKind::kShared) == LockOutcome::kHeldElsewhere);
}

TEST_CASE("touching sets the time of modification") {
  const test::TempDir dir;
  auto file = io::File::open_or_create(dir.file("a"));
  REQUIRE(file);
  const struct timespec old[2] = {{1000, 0}, {1000, 0}};
  REQUIRE(::futimens(file->fd(), old) == 0);
  REQUIRE(file->touch());
  CHECK(file->status()->st_mtim.tv_sec > 1'000'000'000);
}

}  // namespace
}  // namespace shunt::files
