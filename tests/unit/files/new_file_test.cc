#include "shunt/files/new_file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "shunt/files/attributes.h"
#include "shunt/files/path.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::files {
namespace {

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

ino_t inode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_ino;
}

Directory place(const test::TempDir& dir) {
  return Directory::holding(dir.file("out")).value();
}

// What a run that dies leaves; false where leftovers cannot be told from other files.
bool leave_behind(const std::string& target) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto file = NewFile::create(target);
    ::_exit(file ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  return ::lgetxattr(companion(target, kNewFileSuffix).c_str(), "user.shunt.unfinished", nullptr,
                     0) == 0;
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
  REQUIRE(io::File::create(dir.file("out")));
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
  CHECK(io::File::open_to_read(dir.file("out"))->size().value() == 3);
}

TEST_CASE("a leftover is taken away, one in use is not") {
  const test::TempDir dir;
  const std::string hidden = dir.file(".out.shunt-new");
  if (!leave_behind(dir.file("out"))) return;  // no extended attributes here
  CHECK(exists(hidden));
  REQUIRE(NewFile::sweep(place(dir), "out"));
  CHECK_FALSE(exists(hidden));
  REQUIRE(leave_behind(dir.file("out")));
  auto first = NewFile::create(dir.file("out"));
  REQUIRE(first);
  CHECK(first->file().path() == dir.file("out"));
  REQUIRE(NewFile::sweep(place(dir), "out"));
  CHECK(exists(hidden));
  const auto second = NewFile::create(dir.file("out"));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kBusy);
  CHECK(second.error().path == dir.file("out"));
}

TEST_CASE("somebody else's file of the hidden name stays, whatever it is") {
  const test::TempDir dir;
  const std::string hidden = dir.file(".out.shunt-new");
  SECTION("a file") {
    auto own = io::File::create(hidden);
    REQUIRE(own);
    REQUIRE(own->write_at(0, as_bytes("mine")));
  }
  SECTION("a link to a file that is being written") {
    REQUIRE(leave_behind(dir.file("other")));
    REQUIRE(::symlink(dir.file(".other.shunt-new").c_str(), hidden.c_str()) == 0);
  }
  SECTION("a FIFO") {
    REQUIRE(::mkfifo(hidden.c_str(), 0600) == 0);
  }
  const ino_t before = inode_of(hidden);
  {
    auto file = NewFile::create(dir.file("out"));
    REQUIRE(file);
    REQUIRE(file->file().write_at(0, as_bytes("abc")));
    REQUIRE(file->commit(IfThere::kFail));
    auto given_up = NewFile::create(dir.file("out"));
    REQUIRE(given_up);
  }
  REQUIRE(NewFile::sweep(place(dir), "out"));
  CHECK(inode_of(hidden) == before);
  CHECK(exists(dir.file("out")));
  std::size_t names = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    if (entry.path().filename() != ".other.shunt-new") ++names;
  }
  CHECK(names == 2);
}

TEST_CASE("what is whole bears no mark, though it may not be written to") {
  const test::TempDir dir;
  auto file = NewFile::create(dir.file("out"));
  REQUIRE(file);
  REQUIRE(::fchmod(file->file().fd(), 0444) == 0);
  REQUIRE(file->commit(IfThere::kFail));
  CHECK(::listxattr(dir.file("out").c_str(), nullptr, 0) <= 0);
  struct stat status {};
  REQUIRE(::stat(dir.file("out").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0444);
}

TEST_CASE("a directory that is missing is named, and not the hidden file") {
  const test::TempDir dir;
  REQUIRE(io::File::create(dir.file("file")));
  for (const char* const directory : {"missing", "file"}) {
    const auto file = NewFile::create(dir.file(std::string(directory) + "/out"));
    REQUIRE_FALSE(file);
    CHECK(file.error().path == dir.file(std::string(directory) + "/out"));
    CHECK(file.error().operation == "create");
    CHECK(file.error().reason.find(dir.file(directory)) != std::string::npos);
  }
}

TEST_CASE("attributes go along") {
  const test::TempDir dir;
  auto from = io::File::create(dir.file("from"));
  auto to = io::File::create(dir.file("to"));
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
}  // namespace shunt::files
