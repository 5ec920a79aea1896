#include "shunt/cache/documents.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "shunt/io/kernel.h"
#include "shunt/io/sha256.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::cache {
namespace {

std::string digest_of(std::string_view text) {
  return "sha256:" + io::sha256_hex(text);
}

std::size_t files_in(const std::string& directory) {
  std::error_code ignored;
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(directory, ignored)) {
    ++count;
  }
  return count;
}

TEST_CASE("documents and tags are found again by the next process") {
  const test::TempDir dir;
  {
    Documents documents(dir.file("d"));
    documents.keep_document(digest_of("{}"), "{}");
    documents.keep_document(digest_of(""), "");
    documents.keep_tag("host/repo:1", digest_of("{}"));
    documents.keep_tag("../../weird\nreference", digest_of("x"));
  }
  Documents documents(dir.file("d"));
  CHECK(documents.find_document(digest_of("{}")) == "{}");
  CHECK(documents.find_document(digest_of("")) == "");
  CHECK_FALSE(documents.find_document(digest_of("other")));
  CHECK(documents.find_tag("host/repo:1") == digest_of("{}"));
  CHECK(documents.find_tag("../../weird\nreference") == digest_of("x"));
  CHECK_FALSE(documents.find_tag("host/repo:2"));
  CHECK(files_in(dir.file("d")) == 4);
  CHECK(std::filesystem::exists(dir.file("d/sha256-" + io::sha256_hex("{}"))));
  CHECK(std::filesystem::exists(dir.file("d/tag-" + io::sha256_hex("host/repo:1"))));
  struct stat status {};
  REQUIRE(::stat(dir.file("d").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  REQUIRE(::stat(dir.file("d/tag-" + io::sha256_hex("host/repo:1")).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("the later one counts") {
  const test::TempDir dir;
  Documents documents(dir.path());
  documents.keep_tag("a", digest_of("1"));
  documents.keep_tag("a", digest_of("2"));
  CHECK(documents.find_tag("a") == digest_of("2"));
  documents.keep_document(digest_of("x"), "torn");
  documents.keep_document(digest_of("x"), "x");
  CHECK(documents.find_document(digest_of("x")) == "x");
}

TEST_CASE("what is no digest is neither kept nor looked for") {
  const test::TempDir dir;
  Documents documents(dir.file("d/e"));
  std::ofstream(dir.file("secret")) << "secret";
  const std::string upper = "sha256:" + std::string(64, 'A');
  for (const std::string& digest :
       {std::string(), std::string("sha256:"), std::string("sha256:../../secret"), upper,
        "sha512:" + std::string(64, 'a'), digest_of("x") + "0", std::string(64, 'a')}) {
    INFO(digest);
    documents.keep_document(digest, "x");
    documents.keep_tag("a", digest);
    CHECK_FALSE(documents.find_document(digest));
  }
  CHECK_FALSE(documents.find_tag("a"));
  CHECK_FALSE(std::filesystem::exists(dir.file("d")));
}

TEST_CASE("large documents are left out, on the way in and on the way out") {
  const test::TempDir dir;
  Documents documents(dir.path());
  const std::string large(Documents::kMaxSize, 'x');
  documents.keep_document(digest_of("largest"), large);
  CHECK(documents.find_document(digest_of("largest")) == large);
  documents.keep_document(digest_of("larger"), large + "x");
  CHECK_FALSE(documents.find_document(digest_of("larger")));
  std::ofstream(dir.file("sha256-" + io::sha256_hex("largest")), std::ios::app) << "x";
  CHECK_FALSE(documents.find_document(digest_of("largest")));
}

TEST_CASE("a tag that was torn is none") {
  const test::TempDir dir;
  Documents documents(dir.path());
  const std::string path = dir.file("tag-" + io::sha256_hex("a"));
  for (const std::string& text :
       {std::string(), digest_of("x"), digest_of("x").substr(0, 70) + "\n", std::string(72, '\0'),
        digest_of("x") + "\n\n"}) {
    std::ofstream(path, std::ios::trunc) << text;
    CHECK_FALSE(documents.find_tag("a"));
  }
  std::ofstream(path, std::ios::trunc) << digest_of("x") << "\n";
  CHECK(documents.find_tag("a") == digest_of("x"));
}

TEST_CASE("those used longest ago go when there are too many") {
  const test::TempDir dir;
  const auto path_of = [&](std::size_t i) {
    return dir.file("sha256-" + io::sha256_hex(std::to_string(i)));
  };
  for (std::size_t i = 0; i < Documents::kMaxCount + 10; ++i) {
    std::ofstream(path_of(i)) << i;
    const auto seconds = static_cast<std::int64_t>(1'000 + i);
    const struct timespec times[2] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(::utimensat(AT_FDCWD, path_of(i).c_str(), times, 0) == 0);
  }
  std::ofstream(dir.file("README")) << "not ours";
  std::ofstream(dir.file(".tag-x.0.new")) << "being written";
  std::ofstream(dir.file(".tag-y.0.new")) << "left over";
  const struct timespec old[2] = {{1'000, 0}, {1'000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, dir.file(".tag-y.0.new").c_str(), old, 0) == 0);
  Documents documents(dir.path());
  REQUIRE(documents.find_document(digest_of("3")));  // used now
  documents.keep_tag("a", digest_of("x"));           // the first that is kept: trims
  CHECK(documents.find_tag("a"));
  CHECK(documents.find_document(digest_of("3")));
  CHECK_FALSE(std::filesystem::exists(path_of(0)));
  CHECK_FALSE(std::filesystem::exists(path_of(100)));
  CHECK(std::filesystem::exists(path_of(Documents::kMaxCount + 9)));
  CHECK(std::filesystem::exists(path_of(300)));
  CHECK(std::filesystem::exists(dir.file("README")));
  CHECK(std::filesystem::exists(dir.file(".tag-x.0.new")));
  CHECK_FALSE(std::filesystem::exists(dir.file(".tag-y.0.new")));
  CHECK(files_in(dir.path()) <= Documents::kMaxCount + 2);
}

class FailingKernel final : public io::Kernel {
 public:
  explicit FailingKernel(int at) : left_(at) {}
  int open_at(int directory, const char* name, int flags, mode_t mode) override {
    return (flags & O_CREAT) != 0 && fails() ? -1 : Kernel::open_at(directory, name, flags, mode);
  }
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at, int flags) override {
    return fails() ? -1 : Kernel::pwrite(fd, data, size, at, flags);
  }
  int rename_at(int directory, const char* from, const char* to) override {
    return fails() ? -1 : Kernel::rename_at(directory, from, to);
  }
  int mkdir(const char* path, mode_t mode) override {
    return fails() ? -1 : Kernel::mkdir(path, mode);
  }
  [[nodiscard]] bool has_failed() const { return left_ <= 0; }

 private:
  bool fails() {
    errno = ENOSPC;
    return --left_ == 0;
  }
  int left_;
};

TEST_CASE("a failure is nobody's trouble: the old one stays, no leftover") {
  int failures = 0;
  for (int at = 1;; ++at) {
    const test::TempDir dir;
    Documents documents(dir.file("d"));
    if (at > 1) documents.keep_tag("a", digest_of("old"));
    FailingKernel kernel(at);
    {
      const io::KernelOverride guard(&kernel);
      documents.keep_tag("a", digest_of("new"));
    }
    if (!kernel.has_failed()) break;
    ++failures;
    if (at > 1) {
      CHECK(documents.find_tag("a") == digest_of("old"));
      CHECK(files_in(dir.file("d")) == 1);
    } else {
      CHECK_FALSE(documents.find_tag("a"));
    }
  }
  CHECK(failures == 4);
}

TEST_CASE("a directory that others may write to is neither read nor written to") {
  const test::TempDir dir;
  Documents documents(dir.path());
  documents.keep_document(digest_of("mine"), "mine");
  REQUIRE(documents.find_document(digest_of("mine")) == "mine");
  std::filesystem::permissions(dir.path(), std::filesystem::perms::all);
  CHECK_FALSE(documents.find_document(digest_of("mine")));
  documents.keep_document(digest_of("other"), "other");
  CHECK(files_in(dir.path()) == 1);
}

TEST_CASE("writers and readers of one document at once") {
  const test::TempDir dir;
  const std::string text(100'000, 'x');
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::thread writer([&] {
    Documents documents(dir.path());
    for (int i = 0; i < 200; ++i) documents.keep_document(digest_of(text), text);
    done = true;
  });
  Documents documents(dir.path());
  bool seen = false;
  while (!done) {
    const auto found = documents.find_document(digest_of(text));
    if (found ? *found != text : seen) ++wrong;
    seen = seen || found;
  }
  writer.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace shunt::cache
