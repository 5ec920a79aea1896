// What other programs and users do in the middle of a run, at chosen calls.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>
#include <utility>

#include "shunt/faststart/faststart.h"
#include "shunt/io/kernel.h"
#include "shunt/io/lease.h"
#include "support/catch.h"
#include "support/recipes.h"
#include "support/temp_dir.h"

namespace shunt::faststart {
namespace {

// Lets somebody act right before the first call of a kind.
class Meddled final : public io::Kernel {
 public:
  std::function<void()> at_open_to_change;
  std::function<void()> at_sync;
  std::function<void()> at_rename;
  std::function<void()> after_failed_rename;  // when the file is opened for changing again
  int sync_of_directory = 0;                  // fails with this
  int rename = 0;                             // likewise, once
  bool only_copies = false;                   // neither shares extents nor inserts any

  int fsync(int fd) override {
    act(at_sync);
    struct stat status {};
    if (sync_of_directory != 0 && ::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
      return fail(sync_of_directory);
    }
    return Kernel::fsync(fd);
  }
  int rename_at(int directory, const char* from, const char* to) override {
    act(at_rename);
    if (rename != 0) {
      at_open_to_change = std::move(after_failed_rename);
      return fail(std::exchange(rename, 0));
    }
    return Kernel::rename_at(directory, from, to);
  }
  int fallocate(int fd, int mode, off_t offset, off_t size) override {
    if (only_copies && (mode & FALLOC_FL_INSERT_RANGE) != 0) return fail(EOPNOTSUPP);
    return Kernel::fallocate(fd, mode, offset, size);
  }
  int clone_range(int from, std::uint64_t from_offset, std::uint64_t size, int to,
                  std::uint64_t to_offset) override {
    if (only_copies) return fail(EOPNOTSUPP);
    return Kernel::clone_range(from, from_offset, size, to, to_offset);
  }

  int open_at(int directory, const char* name, int flags, mode_t mode) override {
    if ((flags & O_ACCMODE) == O_RDWR && (flags & (O_CREAT | O_DIRECTORY)) == 0) {
      act(at_open_to_change);
    }
    return Kernel::open_at(directory, name, flags, mode);
  }

 private:
  static int fail(int number) {
    errno = number;
    return -1;
  }
  static void act(std::function<void()>& what) {
    if (what) std::exchange(what, nullptr)();
  }
};

// Writes a small film and gives its bytes.
std::string make_film(const std::string& path) {
  test::find_recipe("plain")->build().write_file(path);
  return test::content(path);
}

Report run_by(const Strategy* strategy, const std::string& path) {
  Options options;
  options.strategy = strategy;
  return run_in_place(path, options);
}

TEST_CASE("a folder that is exchanged for another is left for the one that was opened") {
  const test::TempDir dir;
  for (const char* const folder : {"a", "victim"}) {
    std::filesystem::create_directory(dir.file(folder));
  }
  const std::string original = make_film(dir.file("a/film"));
  make_film(dir.file("victim/film"));
  Meddled kernel;
  kernel.at_open_to_change = [&] {
    std::filesystem::rename(dir.file("a"), dir.file("b"));
    std::filesystem::create_directory_symlink("victim", dir.file("a"));
  };
  const io::KernelOverride meddled(&kernel);
  const Report report = run_by(strategy_named("copy"), dir.file("a/film"));
  CHECK(report.status == Status::kMoved);
  CHECK((test::content(dir.file("victim/film")) == original));
  CHECK((test::content(dir.file("b/film")) != original));
}

TEST_CASE("what is appended to the input while its replacement goes to the disk is not lost") {
  const test::TempDir dir;
  const std::string path = dir.file("film");
  const std::string original = make_film(path);
  Options options;
  options.force = true;
  Meddled kernel;
  kernel.at_sync = [&] { std::ofstream(path, std::ios::app) << "more"; };
  const io::KernelOverride meddled(&kernel);
  SECTION("onto the input") {
    const auto source = open_source(path, Reading::kWholeFile).value();
    const Report report = run_to_file(source, path, options);
    REQUIRE(report.error);
    CHECK(report.error->code == ErrorCode::kBusy);
  }
  SECTION("onto another file") {
    const auto source = open_source(path, Reading::kWholeFile).value();
    const Report report = run_to_file(source, dir.file("out"), options);
    REQUIRE(report.error);
    CHECK(report.error->code == ErrorCode::kBusy);
    CHECK_FALSE(std::filesystem::exists(dir.file("out")));
  }
  CHECK((test::content(path) == original + "more"));
}

TEST_CASE("a strategy that fails at the rename leaves the file to one that writes to it") {
  const test::TempDir dir;
  const std::string path = dir.file("film");
  const std::string original = make_film(path);
  Meddled kernel;
  kernel.only_copies = true;
  kernel.rename = EXDEV;
  SECTION("which moves moov") {
    const io::KernelOverride meddled(&kernel);
    const Report report = run_in_place(path, {});
    INFO((report.error ? report.error->describe() : ""));
    CHECK(report.status == Status::kMoved);
    CHECK(report.strategy == strategy_named("shift"));
  }
  SECTION("unless the file has changed by then") {
    kernel.after_failed_rename = [&] { std::ofstream(path, std::ios::app) << "more"; };
    const io::KernelOverride meddled(&kernel);
    const Report report = run_in_place(path, {});
    REQUIRE(report.error);
    CHECK(report.error->code == ErrorCode::kBusy);
    CHECK((test::content(path) == original + "more"));
  }
}

TEST_CASE("a run begins when a lease on the file has ended") {
  const test::TempDir dir;
  const std::string path = dir.file("film");
  make_film(path);
  io::File file = io::File::open_to_change(path).value();
  const io::Lease lease(file);
  if (!lease.held()) return;  // none to be had here
  std::thread holder([&] {
    while (::fcntl(file.fd(), F_GETLEASE) == F_WRLCK) std::this_thread::yield();
    (void)file.close();  // and the lease with it
  });
  const Report report = run_by(strategy_named("copy"), path);
  holder.join();
  CHECK(report.status == Status::kMoved);
}

TEST_CASE("no strategy is tried after one that has replaced the file") {
  const test::TempDir dir;
  const std::string path = dir.file("film");
  const std::string original = make_film(path);
  Meddled kernel;
  kernel.only_copies = true;
  kernel.sync_of_directory = EACCES;
  const io::KernelOverride meddled(&kernel);
  const Report report = run_by(strategy_named("copy"), path);
  REQUIRE(report.error);
  CHECK(report.error->operation == "sync directory");
  CHECK(report.error->hint.find("moov is in front") != std::string::npos);
  CHECK((test::content(path) != original));
}

// As the kernel does for whoever has waited for 45 seconds.
void end_leases(const std::string& path) {
  struct stat wanted {};
  REQUIRE(::stat(path.c_str(), &wanted) == 0);
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    struct stat status {};
    if (::fstat(fd, &status) == 0 && status.st_ino == wanted.st_ino &&
        status.st_dev == wanted.st_dev) {
      ::fcntl(fd, F_SETLEASE, F_UNLCK);
    }
  }
}

TEST_CASE("what is appended to the old file comes along though the new name is not on disk") {
  const test::TempDir dir;
  const std::string path = dir.file("film");
  make_film(path);
  Meddled kernel;
  kernel.only_copies = true;
  kernel.sync_of_directory = EIO;
  kernel.at_rename = [&] {
    end_leases(path);
    std::ofstream(path, std::ios::app) << "more";
  };
  const io::KernelOverride meddled(&kernel);
  const Report report = run_by(strategy_named("copy"), path);
  REQUIRE(report.error);
  CHECK(report.error->operation == "sync directory");
  CHECK(report.error->reason.find("4 bytes that another program has appended") !=
        std::string::npos);
  CHECK(report.error->hint.find("moov is in front") != std::string::npos);
  CHECK(test::content(path).ends_with("more"));
}

TEST_CASE("nothing replaces the input while another program has it open for writing") {
  const test::TempDir dir;
  const std::string path = dir.file("film");
  const std::string original = make_film(path);
  std::ofstream writer(path, std::ios::app);
  Options options;
  options.force = true;
  const Report report = run_to_file(open_source(path, Reading::kWholeFile).value(), path, options);
  REQUIRE(report.error);
  CHECK(report.error->code == ErrorCode::kBusy);
  CHECK((test::content(path) == original));
}

}  // namespace
}  // namespace shunt::faststart
