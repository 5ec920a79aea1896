#include "shunt/in_place/journal.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include "shunt/files/directory.h"
#include "shunt/in_place/in_place.h"
#include "shunt/io/kernel.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::in_place {
namespace {

JournalRecord sample_record(RoomKind room = RoomKind::kShifted) {
  JournalRecord record;
  record.inode = 77;
  Edit& edit = record.edit;
  edit.room = room;
  edit.size_before = 1'000'000;
  edit.gap_at = 4096;
  edit.gap_size = 8192;
  edit.unit = 4096;
  edit.front_at = {4096, 12'300};
  edit.overwritten = {4096, 4108};
  edit.needed = {900'000, 950'000};
  edit.mark = layout::FieldPatch{900'004, 4, 1, 2};
  edit.patches = {{20'000, 8, 5, 6}, {30'000, 4, 7, 8}};
  record.needed_digest = 0x123456789abcdef0;
  record.front_size = 8'000;
  record.front_digest = 0xfedcba9876543210;
  record.stamp = 0x0123456789abcdef;
  const std::vector<std::byte> bytes(12, std::byte{9});
  record.saved.add(4096, bytes);
  record.saved.set_zeros({4096, 4108});
  record.holes = {{40'960, 81'920}};
  return record;
}

// A directory with a file that may have a journal.
struct Target {
  test::TempDir dir;
  std::string path = dir.file("movie.mp4");
  io::File file = std::move(*io::File::create(path));
  files::Directory directory = std::move(*files::Directory::holding(path));
  // A new journal of `sample_record`.
  [[nodiscard]] Journal journal() const {
    auto made = Journal::create(directory, file, sample_record(), nullptr);
    REQUIRE(made);
    return std::move(*made);
  }
  [[nodiscard]] Result<std::optional<Journal>> found() const {
    return Journal::open(directory, file);
  }
};

TEST_CASE("a record reads back as it was written") {
  const JournalRecord record = sample_record();
  const auto bytes = encode_record(record);
  const auto back = parse_record(bytes);
  REQUIRE(back);
  CHECK(encode_record(*back) == bytes);
  CHECK(back->inode == 77);
  CHECK(back->edit.gap_size == 8192);
  CHECK(back->front_size == 8'000);
  CHECK(back->front_digest == 0xfedcba9876543210);
  CHECK(back->stamp == 0x0123456789abcdef);
  CHECK(back->edit.mark->new_value == 2);
  CHECK_FALSE(back->edit.cut_at);
  CHECK(back->edit.patches.size() == 2);
  CHECK(back->saved.bytes(0).size() == 12);
  CHECK(back->holes.front() == ByteRange{40'960, 81'920});
}

TEST_CASE("no damaged record is believed") {
  const auto bytes = encode_record(sample_record());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= std::byte{0x40};
    const auto parsed = parse_record(damaged);
    INFO(i);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kIntegrity);
    CHECK_FALSE(parse_record(std::span(bytes).first(i)));
  }
}

TEST_CASE("a record of another version is refused by name") {
  auto bytes = encode_record(sample_record());
  for (const std::byte version : {std::byte{3}, std::byte{5}}) {
    bytes[8] = version;
    const auto parsed = parse_record(bytes);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kIntegrity);
    CHECK(parsed.error().reason.find("another version of shunt") != std::string::npos);
  }
}

TEST_CASE("a record that makes no sense is not believed, though its checksum is right") {
  const auto refuses = [](const std::function<void(JournalRecord&)>& spoil) {
    JournalRecord record = sample_record();
    spoil(record);
    const auto parsed = parse_record(encode_record(record));
    return !parsed && parsed.error().code == ErrorCode::kIntegrity;
  };
  CHECK_FALSE(refuses([](JournalRecord&) {}));
  CHECK(refuses([](JournalRecord& r) { r.edit.patches[0].width = 0x7fffffff; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.patches[1].at = 999'998; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.mark->width = 9; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.mark.reset(); }));
  CHECK(refuses([](JournalRecord& r) { r.edit.unit = 3; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.gap_size = 100; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.gap_at = 1'003'520; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.size_before = UINT64_MAX; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.front_at = {0, 5000}; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.front_at.end = 2'000'000; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.needed.end = 1'000'001; }));
  CHECK(refuses([](JournalRecord& r) { r.front_size = 8'205; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.overwritten = {4096, 4100}; }));
  CHECK(refuses([](JournalRecord& r) { r.saved.set_zeros({0, 1'000'000}); }));
  CHECK(refuses([](JournalRecord& r) { r.holes[0] = {0, 4096}; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.room = static_cast<RoomKind>(9); }));
  CHECK(refuses([](JournalRecord& r) { r.stamp = 0; }));
}

TEST_CASE("a journal lives beside its target, and its cursor survives a torn write") {
  const Target target;
  CHECK_FALSE(target.found()->has_value());
  {
    auto journal = Journal::create(target.directory, target.file, sample_record(), nullptr);
    REQUIRE(journal);
    CHECK(journal->path() == target.dir.file(".movie.mp4.shunt-journal"));
    CHECK(journal->cursor() == 1'000'000);
    REQUIRE(journal->set_cursor(500'000 / 4096 * 4096));
    REQUIRE(journal->set_cursor(40'960));
  }
  auto again = target.found();
  REQUIRE(again);
  REQUIRE(again->has_value());
  CHECK((*again)->cursor() == 40'960);
  REQUIRE((*again)->set_cursor(8192));

  // The last slot written is damaged: the cursor before it counts.
  auto file = io::File::open_to_change((*again)->path());
  REQUIRE(file);
  const std::array<std::byte, 4> garbage{};
  const std::uint64_t slots = 4096;  // the record fits one block
  REQUIRE(file->write_at(slots + 4096 + 8, garbage));
  const auto torn = target.found();
  REQUIRE(torn);
  CHECK((*torn)->cursor() == 40'960);

  REQUIRE((*again)->remove(target.file));
  CHECK_FALSE(target.found()->has_value());
}

// A disk that fails one sync, although the bytes have arrived.
class FailsOneSync final : public io::Kernel {
 public:
  int fdatasync(int fd) override {
    if (std::exchange(failed_, true)) return Kernel::fdatasync(fd);
    errno = EIO;
    return -1;
  }

 private:
  bool failed_ = false;
};

TEST_CASE("a cursor whose sync failed is not believed once the one before is settled") {
  const Target target;
  Journal journal = target.journal();
  REQUIRE(journal.set_cursor(40'960));
  {
    FailsOneSync kernel;
    const io::KernelOverride installed(&kernel);
    REQUIRE_FALSE(journal.set_cursor(8192));
  }
  CHECK(journal.cursor() == 40'960);
  CHECK((*target.found())->cursor() == 8192);  // what a crash would find now
  REQUIRE(journal.settle_cursor());
  CHECK((*target.found())->cursor() == 40'960);
  REQUIRE(journal.set_cursor(49'152));
  CHECK((*target.found())->cursor() == 49'152);
}

TEST_CASE("a cut that was announced is taken back before bytes move again") {
  const Target target;
  Journal journal = target.journal();
  REQUIRE(journal.announce_cut(1'000'000));
  CHECK(journal.cut_comes_next());
  auto found = target.found();
  CHECK((*found)->cursor() == 1'000'000);
  CHECK((*found)->cut_comes_next());
  REQUIRE((*found)->settle_cursor());
  CHECK_FALSE((*found)->cut_comes_next());
  CHECK((*found)->cursor() == 1'000'000);
  CHECK_FALSE((*target.found())->cut_comes_next());
  // Nor does a cursor stand for a cut whose announcement was torn.
  REQUIRE((*found)->set_cursor(40'960));
  {
    FailsOneSync kernel;
    const io::KernelOverride installed(&kernel);
    REQUIRE_FALSE((*found)->announce_cut(40'960));
  }
  CHECK_FALSE((*found)->cut_comes_next());
  REQUIRE((*found)->settle_cursor());
  CHECK_FALSE((*target.found())->cut_comes_next());
}

TEST_CASE("a journal of somebody else is not believed") {
  const Target target;
  Journal journal = target.journal();
  REQUIRE(::chmod(journal.path().c_str(), 0666) == 0);
  CHECK(target.found().error().code == ErrorCode::kIntegrity);
  REQUIRE(::chmod(journal.path().c_str(), 0600) == 0);
  REQUIRE(target.found());
  if (::geteuid() != 0) return;
  REQUIRE(::chown(journal.path().c_str(), 12345, 12345) == 0);
  CHECK(target.found().error().code == ErrorCode::kIntegrity);
}

TEST_CASE("a journal is judged by what was opened, and no link is followed to one") {
  const Target target;
  Journal journal = target.journal();
  const std::string aside = target.dir.file("aside");
  REQUIRE(::link(journal.path().c_str(), aside.c_str()) == 0);
  CHECK(target.found().error().code == ErrorCode::kIntegrity);  // two names
  REQUIRE(::unlink(journal.path().c_str()) == 0);
  REQUIRE(::symlink(aside.c_str(), journal.path().c_str()) == 0);
  CHECK(target.found().error().code == ErrorCode::kIntegrity);
  REQUIRE(::rename(aside.c_str(), journal.path().c_str()) == 0);
  CHECK(target.found()->has_value());
}

TEST_CASE("a journal lies in the directory that its target was opened in") {
  const test::TempDir dir;
  const std::string name = dir.file("d");
  REQUIRE(::mkdir(name.c_str(), 0755) == 0);
  auto file = io::File::create(name + "/movie.mp4");
  const auto directory = files::Directory::holding(name + "/movie.mp4");
  REQUIRE(file);
  REQUIRE(directory);
  // Whoever may rename the directory puts another in its place.
  REQUIRE(::rename(name.c_str(), dir.file("moved").c_str()) == 0);
  REQUIRE(::mkdir(name.c_str(), 0755) == 0);
  auto journal = Journal::create(*directory, *file, sample_record(), nullptr);
  REQUIRE(journal);
  CHECK(::access(dir.file("moved/.movie.mp4.shunt-journal").c_str(), F_OK) == 0);
  CHECK(Journal::open(*directory, *file)->has_value());
  REQUIRE(journal->remove(*file));
  CHECK(::access(dir.file("moved/.movie.mp4.shunt-journal").c_str(), F_OK) != 0);
}

TEST_CASE("a journal of another file of the same number is not acted upon") {
  Target target;
  JournalRecord record = sample_record();
  record.inode = target.file.status()->st_ino;
  record.born = target.file.born() - 1;
  if (record.born < 0) return;  // this file system does not keep it
  REQUIRE(Journal::create(target.directory, target.file, record, nullptr));
  const auto recovered = recover(target.directory, target.file, nullptr, {});
  REQUIRE_FALSE(recovered);
  CHECK(recovered.error().code == ErrorCode::kIntegrity);
  CHECK(recovered.error().reason.find("another file") != std::string::npos);
}

TEST_CASE("a journal that cannot be the target's is passed over where it cannot be removed") {
  if (::geteuid() != 0) return;
  const Target target;
  const std::string usual = target.dir.file(".movie.mp4.shunt-journal");
  REQUIRE(io::File::create(usual));
  REQUIRE(::chown(usual.c_str(), 12345, 12345) == 0);
  CHECK(target.found().error().code == ErrorCode::kIntegrity);
  REQUIRE(::chmod(target.dir.path().c_str(), 01777) == 0);
  CHECK_FALSE(target.found()->has_value());
  Journal journal = target.journal();
  CHECK(journal.path() == usual + ".0");
  CHECK(target.found()->has_value());
}

constexpr const char* kMark = "user.shunt.journal";

// The mark on the target, or "" without one.
std::string mark_on(const Target& target) {
  std::string name(NAME_MAX, '\0');
  const ssize_t size = ::getxattr(target.path.c_str(), kMark, name.data(), name.size());
  name.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return name;
}

TEST_CASE("where others may write to the target, its mark tells which journal is its own") {
  if (::geteuid() != 0) return;
  const Target target;
  if (::setxattr(target.path.c_str(), "user.probe", "", 0, 0) != 0) return;  // keeps no marks
  REQUIRE(::chmod(target.dir.path().c_str(), 01777) == 0);
  REQUIRE(::chmod(target.path.c_str(), 0660) == 0);
  const std::string usual = target.dir.file(".movie.mp4.shunt-journal");
  REQUIRE(io::File::create(usual));
  REQUIRE(::chown(usual.c_str(), 12345, 12345) == 0);
  CHECK_FALSE(target.found()->has_value());
  Journal journal = target.journal();
  CHECK(journal.path() == usual + ".0");
  CHECK(mark_on(target) == ".movie.mp4.shunt-journal.0");
  CHECK(target.found()->has_value());
  REQUIRE(journal.remove(target.file));
  CHECK(mark_on(target).empty());
  CHECK_FALSE(target.found()->has_value());
  // That of another one who writes to the target is not passed over, whatever its name.
  for (const char* const name : {".movie.mp4.shunt-journal", ".movie.mp4.shunt-journal.12345"}) {
    REQUIRE(::rename(usual.c_str(), target.dir.file("aside").c_str()) == 0);
    REQUIRE(::rename(target.dir.file("aside").c_str(), target.dir.file(name).c_str()) == 0);
    REQUIRE(::setxattr(target.path.c_str(), kMark, name, std::strlen(name), 0) == 0);
    CHECK(target.found().error().code == ErrorCode::kIntegrity);
    CHECK(*Journal::pending(target.directory, "movie.mp4", target.file) == name);
    REQUIRE(::rename(target.dir.file(name).c_str(), usual.c_str()) == 0);
  }
  // A mark that names nothing is in nobody's way.
  CHECK_FALSE(target.found()->has_value());
  REQUIRE(target.journal().remove(target.file));
  CHECK(mark_on(target).empty());
}

// Calls that a journal makes until it is there, in their order.
class NotesMark final : public io::Kernel {
 public:
  std::string calls;

  int fsetxattr(int fd, const char* name, const void* value, std::size_t size) override {
    calls += "mark ";
    return fails ? fail() : Kernel::fsetxattr(fd, name, value, size);
  }
  int fsync(int fd) override {
    calls += "sync ";
    return Kernel::fsync(fd);
  }
  int rename_no_replace_at(int directory, const char* from, const char* to) override {
    calls += "name ";
    return Kernel::rename_no_replace_at(directory, from, to);
  }
  bool fails = false;

 private:
  static int fail() {
    errno = ENOSPC;
    return -1;
  }
};

TEST_CASE("no journal has its name before the mark that others go by is on disk") {
  const Target target;
  if (::setxattr(target.path.c_str(), "user.probe", "", 0, 0) != 0) return;  // keeps no marks
  REQUIRE(::chmod(target.dir.path().c_str(), 01777) == 0);
  REQUIRE(::chmod(target.path.c_str(), 0660) == 0);
  NotesMark kernel;
  const io::KernelOverride installed(&kernel);
  SECTION("which is made") {
    REQUIRE(Journal::create(target.directory, target.file, sample_record(), nullptr));
    CHECK(kernel.calls == "sync mark sync name sync ");
  }
  SECTION("which cannot be made") {
    kernel.fails = true;
    CHECK_FALSE(Journal::create(target.directory, target.file, sample_record(), nullptr));
    CHECK_FALSE(target.found()->has_value());
  }
}

TEST_CASE("nobody keeps another from a journal by taking all names that are known") {
  if (::geteuid() != 0) return;
  const Target target;
  REQUIRE(::chmod(target.dir.path().c_str(), 01777) == 0);
  const std::string usual = target.dir.file(".movie.mp4.shunt-journal");
  for (const std::string& name : {usual, usual + ".0"}) {
    REQUIRE(io::File::create(name));
    REQUIRE(::chown(name.c_str(), 12345, 12345) == 0);
  }
  CHECK_FALSE(target.found()->has_value());
  Journal journal = target.journal();
  CHECK(journal.path().size() == usual.size() + 2 + 17);
  REQUIRE(target.found());
  CHECK((*target.found())->path() == journal.path());
  // A spare name of the other one's is none of the target's either.
  const std::string spare = usual + ".0-0123456789abcdef";
  REQUIRE(io::File::create(spare));
  REQUIRE(::chown(spare.c_str(), 12345, 12345) == 0);
  CHECK((*target.found())->path() == journal.path());
  REQUIRE(journal.remove(target.file));
  CHECK_FALSE(target.found()->has_value());
}

TEST_CASE("what is in the way of an unfinished journal is gone around") {
  const Target target;
  REQUIRE(::mkdir(target.dir.file(".movie.mp4.shunt-journal-new").c_str(), 0700) == 0);
  Journal journal = target.journal();
  CHECK(target.found()->has_value());
}

TEST_CASE("what has no whole journal yet is swept away") {
  const Target target;
  REQUIRE(io::File::create(target.dir.file(".movie.mp4.shunt-journal-new")));
  CHECK_FALSE(target.found()->has_value());
  struct stat status {};
  CHECK(::stat(target.dir.file(".movie.mp4.shunt-journal-new").c_str(), &status) != 0);
}

TEST_CASE("a named journal that is damaged is an error, not nothing") {
  const Target target;
  auto file = io::File::create(target.dir.file(".movie.mp4.shunt-journal"));
  REQUIRE(file);
  const auto journal = target.found();
  REQUIRE_FALSE(journal);
  CHECK(journal.error().code == ErrorCode::kIntegrity);
}

}  // namespace
}  // namespace shunt::in_place
