#include "shunt/files/found_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::files {
namespace {

struct Found {
  test::TempDir dir;
  std::string path = dir.file("found");
  Believed believed;
  Found() { std::ofstream(path) << "text"; }
  // What speaks against it; empty when it is opened.
  [[nodiscard]] std::string verdict(FoundFor purpose = FoundFor::kChanging) const {
    const auto file = open_found(path, purpose, believed);
    if (file) return {};
    CHECK(file.error().code == ErrorCode::kIntegrity);
    return file.error().reason;
  }
};

TEST_CASE("a file of this user that nobody else may write to is believed") {
  const Found found;
  CHECK(found.verdict().empty());
  CHECK(found.verdict(FoundFor::kReading).empty());
  const auto missing = open_found(found.dir.file("none"), FoundFor::kReading, {});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().system_errno == ENOENT);
}

TEST_CASE("what others may write to, or is no file of its own, is not believed") {
  const Found found;
  SECTION("the group") {
    REQUIRE(::chmod(found.path.c_str(), 0620) == 0);
    CHECK(found.verdict() == "group or others may write to it");
  }
  SECTION("others") {
    REQUIRE(::chmod(found.path.c_str(), 0602) == 0);
    CHECK(found.verdict() == "group or others may write to it");
  }
  SECTION("a second name") {
    REQUIRE(::link(found.path.c_str(), found.dir.file("other").c_str()) == 0);
    CHECK(found.verdict() == "it has 2 names");
  }
  SECTION("a link") {
    REQUIRE(::rename(found.path.c_str(), found.dir.file("other").c_str()) == 0);
    REQUIRE(::symlink("other", found.path.c_str()) == 0);
    CHECK(found.verdict() == "it is a symbolic link");
    CHECK(found.verdict(FoundFor::kReading) == "it is a symbolic link");
  }
  SECTION("a FIFO, without waiting for its other side") {
    REQUIRE(::unlink(found.path.c_str()) == 0);
    REQUIRE(::mkfifo(found.path.c_str(), 0600) == 0);
    CHECK(found.verdict() == "it is not a regular file");
    CHECK(found.verdict(FoundFor::kReading) == "it is not a regular file");
  }
  SECTION("a directory") {
    REQUIRE(::unlink(found.path.c_str()) == 0);
    REQUIRE(::mkdir(found.path.c_str(), 0700) == 0);
    CHECK(found.verdict() == "it is not a regular file");
    CHECK(found.verdict(FoundFor::kReading) == "it is not a regular file");
  }
  SECTION("a socket") {
    REQUIRE(::unlink(found.path.c_str()) == 0);
    REQUIRE(::mknod(found.path.c_str(), S_IFSOCK | 0600, 0) == 0);
    CHECK(found.verdict() == "it is not a regular file");
  }
}

TEST_CASE("a file of another user is believed where that user is") {
  if (::geteuid() != 0) return;
  Found found;
  REQUIRE(::chown(found.path.c_str(), 12345, 12345) == 0);
  CHECK(found.verdict() == "it belongs to another user (12345)");
  found.believed.owner = 54321;
  CHECK(found.verdict() == "it belongs to another user (12345)");
  found.believed.owner = 12345;
  CHECK(found.verdict().empty());
}

TEST_CASE("a directory is judged like a file, whatever number of names it has") {
  const test::TempDir dir;
  REQUIRE(::mkdir(dir.file("in").c_str(), 0700) == 0);
  struct stat status {};
  REQUIRE(::stat(dir.path().c_str(), &status) == 0);
  CHECK(why_not_believed_directory(status, {}).empty());
  CHECK(why_not_believed(status, {}) == "it is not a regular file");
  status.st_mode |= S_IWOTH;
  CHECK(why_not_believed_directory(status, {}) == "group or others may write to it");
  status.st_mode &= ~mode_t{S_IWOTH};
  ++status.st_uid;
  CHECK_FALSE(why_not_believed_directory(status, {}).empty());
  CHECK(why_not_believed_directory(status, {status.st_uid}).empty());
}

TEST_CASE("an own directory is the one that was judged, whatever becomes of its name") {
  const test::TempDir dir;
  REQUIRE(::mkdir(dir.file("own").c_str(), 0700) == 0);
  REQUIRE(::mkdir(dir.file("other").c_str(), 0700) == 0);
  const auto own = open_own_directory(dir.file("own"));
  REQUIRE(own);
  REQUIRE(::rename(dir.file("own").c_str(), dir.file("moved").c_str()) == 0);
  REQUIRE(::symlink(dir.file("other").c_str(), dir.file("own").c_str()) == 0);
  REQUIRE(own->open("a", O_WRONLY | O_CREAT | O_EXCL, "create"));
  CHECK(::access(dir.file("moved/a").c_str(), F_OK) == 0);
  CHECK(::access(dir.file("other/a").c_str(), F_OK) != 0);
  CHECK(own->path_of("a") == dir.file("own/a"));

  // A link may lead to it; what it leads to is judged.
  REQUIRE(open_own_directory(dir.file("own")));
  REQUIRE(::chmod(dir.file("other").c_str(), 0777) == 0);
  const auto shared = open_own_directory(dir.file("own"));
  REQUIRE_FALSE(shared);
  CHECK(shared.error().code == ErrorCode::kLocalIo);
  CHECK(shared.error().reason == "group or others may write to it");
  CHECK_FALSE(open_own_directory(dir.file("moved/a")));
  CHECK_FALSE(open_own_directory(dir.file("nothing")));
}

}  // namespace
}  // namespace shunt::files
