#include "shunt/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "shunt/files/lock.h"
#include "shunt/files/path.h"
#include "shunt/io/extent_map.h"
#include "shunt/io/kernel.h"
#include "shunt/io/lease.h"
#include "shunt/io/page_cache.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::io {
namespace {

// A kernel whose every call is cut short or interrupted, as a busy system may do.
class Grudging final : public Kernel {
 public:
  ssize_t pread(int fd, void* data, std::size_t size, off_t offset, int flags) override {
    if (interrupt()) return -1;
    return Kernel::pread(fd, data, std::min<std::size_t>(size, 3), offset, flags);
  }
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int flags) override {
    if (interrupt()) return -1;
    return Kernel::pwrite(fd, data, std::min<std::size_t>(size, 3), offset, flags);
  }
  int ftruncate(int fd, off_t size) override {
    return interrupt() ? -1 : Kernel::ftruncate(fd, size);
  }

 private:
  bool interrupt() {
    errno = EINTR;
    return ++calls_ % 2 == 0;
  }
  int calls_ = 0;
};

// A kernel of before RWF_DONTCACHE.
class Older final : public Kernel {
 public:
  ssize_t pread(int fd, void* data, std::size_t size, off_t offset, int flags) override {
    if (flags != 0) return refuse();
    return Kernel::pread(fd, data, size, offset, flags);
  }
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int flags) override {
    if (flags != 0) return refuse();
    return Kernel::pwrite(fd, data, size, offset, flags);
  }

 private:
  static ssize_t refuse() {
    errno = EOPNOTSUPP;
    return -1;
  }
};

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string read_all(const File& file) {
  std::string text(100, '\0');
  const auto got = file.read_at(0, std::as_writable_bytes(std::span(text)), Caching::kDrop);
  REQUIRE(got);
  text.resize(*got);
  return text;
}

TEST_CASE("reads and writes are whole, whatever the kernel does") {
  const test::TempDir dir;
  Grudging grudging;
  Older older;
  for (Kernel* kernel : {static_cast<Kernel*>(&grudging), static_cast<Kernel*>(&older)}) {
    const KernelOverride installed(kernel);
    (void)files::remove_if_there(dir.file("a"));
    auto file = File::create(dir.file("a"));
    REQUIRE(file);
    REQUIRE(file->write_at(0, as_bytes("0123456789"), Caching::kDrop));
    CHECK(read_all(*file) == "0123456789");
    REQUIRE(file->truncate(4));
    CHECK(read_all(*file) == "0123");
    REQUIRE(file->close());
  }
}

TEST_CASE("bytes are counted") {
  const test::TempDir dir;
  Counters counters;
  auto file = File::create(dir.file("a"), &counters);
  REQUIRE(file);
  REQUIRE(file->write_at(0, as_bytes("12345")));
  (void)read_all(*file);
  CHECK(counters.bytes_written == 5);
  CHECK(counters.bytes_read == 5);
}

TEST_CASE("an error names the file and the operation") {
  const auto missing = File::open_to_read("/nowhere/at/all");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().path == "/nowhere/at/all");
  CHECK(missing.error().operation == "open");
  CHECK(missing.error().system_errno == ENOENT);
  CHECK(missing.error().code == ErrorCode::kLocalIo);
}

TEST_CASE("holes are seen, and found again in the extents") {
  const test::TempDir dir;
  auto file = File::create(dir.file("a"));
  REQUIRE(file);
  REQUIRE(file->truncate(1 << 20));
  const std::string block(65536, 'x');
  REQUIRE(file->write_at(262144, as_bytes(block)));
  REQUIRE(file->sync());
  const auto data = file->next_data(0);
  REQUIRE(data);
  if (data->begin == 0) return;  // a file system that knows no holes
  CHECK(*data == ByteRange{262144, 262144 + 65536});
  const auto none = file->next_data(600'000);
  REQUIRE(none);
  CHECK(*none == ByteRange{1 << 20, 1 << 20});
  const auto holes = holes_of(*file, {0, 1 << 20}, 10);
  if (!holes) return;  // tmpfs does not tell
  REQUIRE(holes->size() == 2);
  CHECK((*holes)[0] == ByteRange{0, 262144});
  CHECK((*holes)[1] == ByteRange{262144 + 65536, 1 << 20});
  CHECK(holes_of(*file, {0, 1 << 20}, 1).error().code == ErrorCode::kUnsuitable);
}

TEST_CASE("one lock at a time") {
  const test::TempDir dir;
  auto first = File::create(dir.file("a"));
  REQUIRE(first);
  REQUIRE(files::lock_exclusive(*first));
  auto second = File::open_to_change(dir.file("a"));
  REQUIRE(second);
  CHECK(files::lock_exclusive(*second).error().code == ErrorCode::kBusy);
  REQUIRE(first->close());
  CHECK(files::lock_exclusive(*second));
}

TEST_CASE("a file open for writing elsewhere is noticed") {
  const test::TempDir dir;
  auto file = File::create(dir.file("a"));
  REQUIRE(file);
  const auto reader = File::open_to_read(dir.file("a"));
  REQUIRE(reader);
  CHECK(check_no_writer(*reader).error().code == ErrorCode::kBusy);
  REQUIRE(file->close());
  CHECK(check_no_writer(*reader));
  const auto another = File::open_to_read(dir.file("a"));
  CHECK(check_no_writer(*reader));
}

TEST_CASE("companions stay within what a name may be") {
  CHECK(files::companion("a/b.mp4", ".x") == "a/.b.mp4.x");
  CHECK(files::companion("b.mp4", ".x") == ".b.mp4.x");
  const std::string longest(255, 'n');
  const std::string name = files::companion("dir/" + longest, ".shunt-journal");
  CHECK(name.size() == 4 + 255);
  CHECK(name != files::companion("dir/" + std::string(254, 'n') + "m", ".shunt-journal"));
  CHECK(files::parent_directory("a") == ".");
  CHECK(files::parent_directory("/a") == "/");
  CHECK(files::parent_directory("a/b/c") == "a/b");
}

TEST_CASE("written windows leave the page cache") {
  const test::TempDir dir;
  auto file = File::create(dir.file("a"));
  REQUIRE(file);
  const std::string block(1 << 20, 'x');
  WriteBehind behind(*file);
  for (std::uint64_t at = 0; at < (std::uint64_t{32} << 20); at += block.size()) {
    REQUIRE(file->write_at(at, as_bytes(block)));
    behind.wrote(ByteRange::of(at, block.size()));
  }
  behind.finish();
  const auto cached = cached_bytes(*file, {0, std::uint64_t{32} << 20});
  REQUIRE(cached);
  struct stat status {};
  REQUIRE(::stat(dir.path().c_str(), &status) == 0);
  // A file system in memory has nowhere else to keep them.
  if (*cached != std::uint64_t{32} << 20) CHECK(*cached == 0);
}

TEST_CASE("a stream that keeps us waiting can be given up, by a signal too") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  File in = File::adopt(Fd(ends[0]), "in");
  File out = File::adopt(Fd(ends[1]), "out");
  static CancelToken* asked = nullptr;
  CancelToken cancel;
  asked = &cancel;
  in.set_cancel(&cancel);
  out.set_cancel(&cancel);
  // As the program has it: calls go on after the signal.
  struct sigaction action {};
  action.sa_handler = [](int number) { asked->request(number); };
  action.sa_flags = SA_RESTART;
  struct sigaction before {};
  REQUIRE(::sigaction(SIGALRM, &action, &before) == 0);
  std::vector<std::byte> bytes(1 << 20);
  const itimerval soon{{0, 0}, {0, 50'000}};
  REQUIRE(::setitimer(ITIMER_REAL, &soon, nullptr) == 0);
  Result<void> given_up;
  SECTION("reading") {
    const auto got = in.read_some(bytes);
    REQUIRE_FALSE(got);
    given_up = got.error();
  }
  SECTION("writing") {
    given_up = out.write_next(bytes);
  }
  ::sigaction(SIGALRM, &before, nullptr);
  REQUIRE_FALSE(given_up);
  CHECK(given_up.error().code == ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace shunt::io
