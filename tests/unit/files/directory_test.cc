#include "shunt/files/directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "shunt/io/kernel.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::files {
namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

TEST_CASE("a directory tells its names, wherever its own has gone") {
  const test::TempDir dir;
  std::filesystem::create_directories(dir.file("d/folder"));
  write(dir.file("d/a"), "");
  write(dir.file("d/.hidden"), "");
  const auto directory = Directory::open(dir.file("d"));
  REQUIRE(directory);
  std::filesystem::rename(dir.file("d"), dir.file("moved"));
  auto names = directory->names().value();
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{".hidden", "a", "folder"});
}

TEST_CASE("a directory that is held open stays the one that it was") {
  const test::TempDir dir;
  std::filesystem::create_directories(dir.file("d"));
  std::filesystem::create_directories(dir.file("other"));
  write(dir.file("d/a"), "mine");
  write(dir.file("other/a"), "theirs");
  write(dir.file("other/b"), "theirs");
  const auto directory = Directory::holding(dir.file("d/a"));
  REQUIRE(directory);
  CHECK(directory->path_of("b") == dir.file("d/b"));
  std::filesystem::rename(dir.file("d"), dir.file("moved"));
  std::filesystem::create_symlink(dir.file("other"), dir.file("d"));

  const auto file = directory->open("a", O_RDONLY, "open");
  REQUIRE(file);
  CHECK(directory->leads_to("a", *file));
  REQUIRE(directory->rename_over("a", "b"));
  CHECK(test::content(dir.file("moved/b")) == "mine");
  CHECK(test::content(dir.file("other/b")) == "theirs");
  REQUIRE(directory->sync());
  REQUIRE(directory->remove_if_there("b"));
  CHECK_FALSE(directory->remove_if_there("b").value());
  CHECK_FALSE(directory->leads_to("b", *file));
  CHECK_FALSE(std::filesystem::exists(dir.file("moved/b")));
  CHECK(test::content(dir.file("other/b")) == "theirs");
}

// Directories of which only names that are known can be used, for root too.
class Unlisted final : public io::Kernel {
 public:
  bool unnamed_files = true;
  int syncs = 0;

  int open_at(int directory, const char* name, int flags, mode_t mode) override {
    const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
    if (unnamed ? !unnamed_files : (flags & (O_DIRECTORY | O_PATH)) == O_DIRECTORY) {
      errno = unnamed ? EOPNOTSUPP : EACCES;
      return -1;
    }
    return io::Kernel::open_at(directory, name, flags, mode);
  }
  int syncfs(int fd) override {
    ++syncs;
    return io::Kernel::syncfs(fd);
  }
  void sync() override { ++syncs; }
};

TEST_CASE("the names of a directory get to the disk without the right to list them") {
  const test::TempDir dir;
  Unlisted kernel;
  const io::KernelOverride unlisted(&kernel);
  for (const bool unnamed_files : {true, false}) {
    kernel.unnamed_files = unnamed_files;
    kernel.syncs = 0;
    CHECK(Directory::holding(dir.file("a"))->sync());
    CHECK(kernel.syncs == 1);
  }
}

TEST_CASE("neither a link nor a FIFO catches whoever opens a name") {
  const test::TempDir dir;
  write(dir.file("file"), "text");
  REQUIRE(::symlink("file", dir.file("link").c_str()) == 0);
  REQUIRE(::mkfifo(dir.file("fifo").c_str(), 0600) == 0);
  const auto directory = Directory::holding(dir.file("x"));
  REQUIRE(directory);
  CHECK(directory->open("link", O_RDWR, "open").error().system_errno == ELOOP);
  CHECK(directory->open("fifo", O_RDONLY, "open"));  // does not wait
  CHECK(directory->open("none", O_RDONLY, "open").error().system_errno == ENOENT);
  CHECK(S_ISLNK((*directory->look("link"))->st_mode));
  CHECK_FALSE(directory->look("none")->has_value());
}

TEST_CASE("names without a directory are in the current one") {
  const auto directory = Directory::holding("a");
  REQUIRE(directory);
  CHECK(directory->path_of("b") == "b");
  CHECK(Directory::holding("./a")->path_of("b") == "./b");
  CHECK(Directory::holding("/a")->path_of("b") == "/b");
  CHECK(Directory::holding("/nowhere/at/all").error().system_errno == ENOENT);
}

}  // namespace
}  // namespace shunt::files
