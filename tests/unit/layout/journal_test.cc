#include "layout/journal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <utility>

#include "io/kernel.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::layout {
namespace {

JournalRecord sample_record(RoomKind room = RoomKind::kShifted) {
  JournalRecord record;
  record.inode = 77;
  InPlaceEdit& edit = record.edit;
  edit.room = room;
  edit.size_before = 1'000'000;
  edit.gap_at = 4096;
  edit.gap_size = 8192;
  edit.unit = 4096;
  edit.front_at = {4096, 12'300};
  edit.overwritten = {4096, 4108};
  edit.needed = {900'000, 950'000};
  edit.mark = FieldPatch{900'004, 4, 1, 2};
  edit.patches = {{20'000, 8, 5, 6}, {30'000, 4, 7, 8}};
  record.needed_digest = 0x123456789abcdef0;
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
  Target() { REQUIRE(io::File::create(path)); }
  // A new journal of `sample_record`.
  [[nodiscard]] Journal journal() const {
    auto made = Journal::create(path, sample_record(), nullptr);
    REQUIRE(made);
    return std::move(*made);
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
  CHECK(refuses([](JournalRecord& r) { r.edit.overwritten = {4096, 4100}; }));
  CHECK(refuses([](JournalRecord& r) { r.saved.set_zeros({0, 1'000'000}); }));
  CHECK(refuses([](JournalRecord& r) { r.holes[0] = {0, 4096}; }));
  CHECK(refuses([](JournalRecord& r) { r.edit.room = static_cast<RoomKind>(9); }));
}

TEST_CASE("a journal lives beside its target, and its cursor survives a torn write") {
  const test::TempDir dir;
  const std::string target = dir.file("movie.mp4");
  REQUIRE(io::File::create(target));
  CHECK_FALSE(Journal::open(target)->has_value());
  {
    auto journal = Journal::create(target, sample_record(), nullptr);
    REQUIRE(journal);
    CHECK(journal->path() == dir.file(".movie.mp4.shunt-journal"));
    CHECK(journal->cursor() == 1'000'000);
    REQUIRE(journal->set_cursor(500'000 / 4096 * 4096));
    REQUIRE(journal->set_cursor(40'960));
  }
  auto again = Journal::open(target);
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
  const auto torn = Journal::open(target);
  REQUIRE(torn);
  CHECK((*torn)->cursor() == 40'960);

  REQUIRE((*again)->remove());
  CHECK_FALSE(Journal::open(target)->has_value());
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
  CHECK((*Journal::open(target.path))->cursor() == 8192);  // what a crash would find now
  REQUIRE(journal.settle_cursor());
  CHECK((*Journal::open(target.path))->cursor() == 40'960);
  REQUIRE(journal.set_cursor(49'152));
  CHECK((*Journal::open(target.path))->cursor() == 49'152);
}

TEST_CASE("a journal of somebody else is not believed") {
  const Target target;
  Journal journal = target.journal();
  REQUIRE(::chmod(journal.path().c_str(), 0666) == 0);
  CHECK(Journal::open(target.path).error().code == ErrorCode::kIntegrity);
  REQUIRE(::chmod(journal.path().c_str(), 0600) == 0);
  REQUIRE(Journal::open(target.path));
  if (::geteuid() != 0) return;
  REQUIRE(::chown(journal.path().c_str(), 12345, 12345) == 0);
  CHECK(Journal::open(target.path).error().code == ErrorCode::kIntegrity);
}

TEST_CASE("what has no whole journal yet is swept away") {
  const test::TempDir dir;
  const std::string target = dir.file("movie.mp4");
  REQUIRE(io::File::create(dir.file(".movie.mp4.shunt-journal-new")));
  CHECK_FALSE(Journal::open(target)->has_value());
  struct stat status {};
  CHECK(::stat(dir.file(".movie.mp4.shunt-journal-new").c_str(), &status) != 0);
}

TEST_CASE("a named journal that is damaged is an error, not nothing") {
  const test::TempDir dir;
  const std::string target = dir.file("movie.mp4");
  REQUIRE(io::File::create(target));
  auto file = io::File::create(dir.file(".movie.mp4.shunt-journal"));
  REQUIRE(file);
  const auto journal = Journal::open(target);
  REQUIRE_FALSE(journal);
  CHECK(journal.error().code == ErrorCode::kIntegrity);
}

}  // namespace
}  // namespace shunt::layout
