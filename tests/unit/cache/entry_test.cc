// Entries: which blocks are there, who may fill them, and what is believed after a boot.
#include "shunt/cache/entry.h"

#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "shunt/files/lock.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

constexpr std::uint64_t kSize = 300 * kBlock + 1234;

void put(Entry& entry, std::uint64_t first, std::uint64_t count, std::uint64_t seed = 1) {
  const std::uint64_t begin = first * kBlock;
  const std::uint64_t end = std::min(entry.size(), begin + count * kBlock);
  REQUIRE(entry.put(first, noise(seed, begin, end - begin)));
}

bool reads_right(Entry& entry, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes(size);
  const auto done = entry.read(offset, bytes);
  return done && *done && test::is_noise(1, offset, bytes);
}

struct Fixture {
  test::TempDir directory;
  blob::Info info = url_info(kSize);
  std::shared_ptr<Cache> cache = open_cache(directory.path());
  std::shared_ptr<Entry> entry = open_entry(*cache, info);

  [[nodiscard]] std::string path() const { return entry_path(directory.path(), info); }
  [[nodiscard]] std::shared_ptr<Entry> another() const { return open_entry(*cache, info); }
  void damage(std::uint64_t block, std::span<const std::byte> bytes) const {
    overwrite(path(), entry->header().data_begin() + block * kBlock, bytes);
  }
};

// Of two blocks, whoever comes now finds the first one good and the second one not.
void check_first_alone(const Fixture& f) {
  const auto later = f.another();
  CHECK(later->check(0));
  CHECK_FALSE(later->check(1));
}

TEST_CASE("entry: what was put is there, for others too once they look") {
  const Fixture f;
  const auto other = f.another();
  CHECK(f.entry->next_missing({0, 301}) == BlockRun{0, 301});
  CHECK_FALSE(f.entry->check(5));
  put(*f.entry, 5, 3);
  put(*f.entry, 300, 1);
  CHECK(f.entry->has(5));
  CHECK(f.entry->next_known({0, 301}) == BlockRun{5, 8});
  CHECK(f.entry->next_known({8, 301}) == BlockRun{300, 301});
  CHECK(f.entry->next_missing({0, 301}) == BlockRun{0, 5});
  CHECK(f.entry->next_missing({5, 301}) == BlockRun{8, 300});
  CHECK(f.entry->next_missing({5, 8}).empty());
  CHECK(reads_right(*f.entry, 5 * kBlock + 7, 2 * kBlock));
  CHECK(reads_right(*f.entry, 300 * kBlock, 1234));

  CHECK_FALSE(other->has(5));
  CHECK(other->next_missing({0, 301}) == BlockRun{0, 5});
  CHECK(other->next_missing({5, 301}) == BlockRun{8, 300});
  CHECK(other->check(5));
  CHECK_FALSE(other->check(8));
  CHECK(other->check(300));
  CHECK(reads_right(*other, 5 * kBlock, 3 * kBlock));
  CHECK(other->bytes_cached().value() == 3 * kBlock + 1234);
  CHECK(other->bad_blocks() == 0);
}

TEST_CASE("entry: a claim keeps others away until it is given back") {
  const Fixture f;
  const auto other = f.another();
  const Claim mine = f.entry->claim({10, 20});
  CHECK(mine.granted);
  CHECK(mine.count == 10);

  const Claim before = other->claim({5, 15});  // as far as it is free
  CHECK(before.granted);
  CHECK(before.count == 5);
  const Claim inside = other->claim({12, 30});
  CHECK_FALSE(inside.granted);
  CHECK(inside.count == 8);  // up to the end of what is taken
  const Claim exactly = other->claim({10, 20});
  CHECK_FALSE(exactly.granted);
  CHECK(exactly.count == 10);
  const Claim behind = other->claim({20, 22});
  CHECK(behind.granted);

  f.entry->release({10, 15});
  CHECK(other->claim({10, 30}).count == 5);
  f.entry->release({15, 20});
  const Claim rest = other->claim({15, 20});
  CHECK(rest.granted);
  CHECK(rest.count == 5);
}

TEST_CASE("entry: a claim keeps its own object away as well") {
  const Fixture f;
  CHECK(f.entry->claim({10, 20}).granted);
  const Claim again = f.entry->claim({12, 30});
  CHECK_FALSE(again.granted);
  CHECK(again.count == 8);
  const Claim before = f.entry->claim({5, 15});
  CHECK(before.granted);
  CHECK(before.count == 5);
  f.entry->release({12, 14});
  CHECK(f.entry->claim({12, 30}).count == 2);
  f.entry->release({0, 301});
  CHECK(f.entry->claim({0, 301}).count == 301);
}

TEST_CASE("entry: the claims of a process that dies are free") {
  const Fixture f;
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t child = fork_to([&] {
    const auto cache = open_cache(f.directory.path());
    const auto entry = open_entry(*cache, f.info);
    const bool granted = entry->claim({0, 301}).granted;
    (void)!::write(pipe[1], granted ? "y" : "n", 1);
    ::pause();
    return 0;
  });
  char answer = 0;
  REQUIRE(::read(pipe[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  CHECK_FALSE(f.entry->claim({100, 101}).granted);
  ::kill(child, SIGKILL);
  CHECK(wait_for(child) == -SIGKILL);
  CHECK(f.entry->claim({0, 301}).count == 301);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_CASE("entry: after a boot, blocks are compared before they are believed") {
  Fixture f;
  put(*f.entry, 0, 10);
  f.damage(3, std::vector<std::byte>(kBlock));    // never written
  f.damage(4, std::vector<std::byte>(4096));      // torn
  f.damage(5, noise(1, 5 * kBlock + 1, kBlock));  // shifted by a byte
  f.damage(6, noise(2, 6 * kBlock, kBlock));      // of something else
  const BootIdOverride boot("another boot");
  const auto later = f.another();
  CHECK(later->next_missing({0, 10}).empty());
  for (std::uint64_t block = 0; block < 10; ++block) {
    INFO(block);
    CHECK_FALSE(later->has(block));
    CHECK(later->check(block) == (block < 3 || block > 6));
  }
  CHECK(later->bad_blocks() == 4);
  CHECK(later->next_missing({0, 10}) == BlockRun{3, 7});
  CHECK(reads_right(*later, 0, 3 * kBlock));
  // What was found out holds for the rest of this boot, and for everybody.
  const auto third = f.another();
  CHECK(third->next_missing({0, 10}) == BlockRun{3, 7});
  CHECK(third->check(0));
  CHECK_FALSE(third->check(3));
  CHECK(third->bad_blocks() == 0);
  // Fetched again, they are as good as the others.
  CHECK(third->claim({3, 7}).count == 4);
  put(*third, 3, 4);
  third->release({3, 7});
  CHECK(later->check(5));
  CHECK(reads_right(*later, 0, 10 * kBlock));
}

TEST_CASE("entry: a block that was checked in this boot is not read again") {
  Fixture f;
  put(*f.entry, 0, 2);
  const BootIdOverride boot("another boot");
  CHECK(f.another()->check(0));
  // Only to see who looks: nothing changes a file in the middle of a boot.
  f.damage(0, std::vector<std::byte>(kBlock));
  f.damage(1, std::vector<std::byte>(kBlock));
  check_first_alone(f);
}

TEST_CASE("entry: a record without its bytes is a bad block") {
  Fixture f;
  put(*f.entry, 0, 3);
  // Records of the end and of nowhere in particular, as a torn write may leave them.
  std::array<std::byte, kRecordSize> record{};
  for (const std::uint64_t block : {std::uint64_t{100}, std::uint64_t{300}}) {
    encode_record({0x1234, 0x5678}, record);
    overwrite(f.path(), f.entry->header().records_begin() + block * kRecordSize, record);
  }
  const auto other = f.another();
  CHECK_FALSE(other->check(100));
  CHECK_FALSE(other->check(300));
  CHECK(other->check(2));
  CHECK(other->next_missing({0, 301}) == BlockRun{3, 301});
}

TEST_CASE("entry: a bad block that somebody is filling again is left to him") {
  Fixture f;
  put(*f.entry, 0, 2);
  f.damage(1, std::vector<std::byte>(kBlock));
  const BootIdOverride boot("another boot");
  const auto filler = f.another();
  const auto reader = f.another();
  REQUIRE(filler->claim({1, 2}).granted);
  CHECK_FALSE(reader->check(1));
  CHECK(reader->bad_blocks() == 0);
  std::vector<std::byte> bytes(kBlock);
  CHECK(reader->recheck(1, bytes).value() == Entry::Recheck::kAbsent);
  CHECK(reader->bad_blocks() == 0);
  put(*filler, 1, 1);
  CHECK(reader->check(1));
  CHECK(reader->recheck(1, bytes).value() == Entry::Recheck::kGood);
  // And not unlocked by a look of the object that fills it.
  f.damage(0, std::vector<std::byte>(kBlock));
  REQUIRE(filler->claim({0, 1}).granted);
  CHECK_FALSE(filler->check(0));
  CHECK_FALSE(reader->claim({0, 1}).granted);
}

TEST_CASE("entry: a copy of an entry is not believed") {
  Fixture f;
  put(*f.entry, 0, 2);
  f.damage(1, std::vector<std::byte>(kBlock));
  f.entry.reset();
  std::filesystem::copy_file(f.path(), f.directory.file("copy"));
  std::filesystem::remove(f.path());
  std::filesystem::rename(f.directory.file("copy"), f.path());
  check_first_alone(f);
}

TEST_CASE("entry: nor is a copy that got the inode of the original") {
  Fixture f;
  put(*f.entry, 0, 2);
  f.damage(1, std::vector<std::byte>(kBlock));
  f.entry.reset();
  const auto inode = [&] {
    struct stat status {};
    REQUIRE(::stat(f.path().c_str(), &status) == 0);
    return status.st_ino;
  };
  const ino_t original = inode();
  const std::string copy = f.directory.file("copy");
  std::filesystem::copy_file(f.path(), copy);
  std::filesystem::remove(f.path());
  std::filesystem::copy_file(copy, f.path());
  if (inode() != original) WARN("this file system did not use the inode again");
  check_first_alone(f);
}

TEST_CASE("entry: a bad block costs the seal") {
  Fixture f;
  put(*f.entry, 0, 301);
  CHECK_FALSE(f.entry->sealed());
  REQUIRE(f.entry->seal(seal_sum(*f.entry)));
  CHECK(f.another()->sealed());
  f.damage(1, std::vector<std::byte>(kBlock));
  const BootIdOverride boot("another boot");
  const auto later = f.another();
  CHECK(later->check(0));
  CHECK(later->sealed());
  CHECK_FALSE(later->check(1));
  CHECK_FALSE(later->sealed());
}

TEST_CASE("entry: what is put after the seal was not held against the digest") {
  Fixture f;
  put(*f.entry, 0, 301);
  REQUIRE(f.entry->seal(seal_sum(*f.entry)));
  // A power cut may take records and leave the state.
  overwrite(f.path(), f.entry->header().records_begin() + 7 * kRecordSize,
            std::vector<std::byte>(kRecordSize));
  const auto later = f.another();
  CHECK(later->next_missing({0, 301}) == BlockRun{7, 8});
  put(*later, 7, 1);
  CHECK_FALSE(later->sealed());
}

TEST_CASE("entry: a seal that a power cut has brought back does not hold for other blocks") {
  Fixture f;
  put(*f.entry, 0, 301);
  REQUIRE(f.entry->seal(seal_sum(*f.entry)));
  const std::vector<std::byte> state =
      bytes_at(f.path(), f.entry->header().state_begin(), kStateSize);
  // Block 7 is lost and fetched again, as other bytes; then the old state is back.
  overwrite(f.path(), f.entry->header().records_begin() + 7 * kRecordSize,
            std::vector<std::byte>(kRecordSize));
  const std::vector<std::byte> other(kBlock, std::byte{1});
  REQUIRE(f.another()->put(7, other));
  overwrite(f.path(), f.entry->header().state_begin(), state);
  CHECK_FALSE(f.another()->sealed());
  CHECK_FALSE(f.another()->state().discarded);
}

TEST_CASE("entry: a recheck reads what is trusted, too") {
  Fixture f;
  put(*f.entry, 0, 3);
  f.damage(1, std::vector<std::byte>(1));
  std::vector<std::byte> bytes(kBlock);
  CHECK(f.entry->recheck(0, bytes).value() == Entry::Recheck::kGood);
  CHECK(test::is_noise(1, 0, bytes));
  CHECK(f.entry->recheck(1, bytes).value() == Entry::Recheck::kBad);
  CHECK(f.entry->recheck(1, bytes).value() == Entry::Recheck::kAbsent);
  CHECK_FALSE(f.entry->has(1));
  CHECK(f.entry->next_missing({0, 3}) == BlockRun{1, 2});
}

TEST_CASE("entry: a file that was cut is no entry; the next use begins anew") {
  Fixture f;
  put(*f.entry, 0, 301);
  f.entry.reset();
  const auto full = std::filesystem::file_size(f.path());
  for (const std::uintmax_t size :
       {full - 1, full / 2, std::uintmax_t{5000}, std::uintmax_t{0}, full + 1}) {
    INFO(size);
    std::filesystem::resize_file(f.path(), size);
    auto listed = f.cache->list();
    REQUIRE(listed);
    REQUIRE(listed->size() == 1);
    CHECK(listed->front().damaged);
    const auto found = f.cache->find(key_of(f.info));
    REQUIRE(found);
    CHECK(*found == nullptr);
    CHECK_FALSE(exists(f.path()));
    const auto entry = f.another();
    CHECK(entry->next_missing({0, 301}) == BlockRun{0, 301});
    CHECK(std::filesystem::file_size(f.path()) == full);
  }
}

TEST_CASE("entry: a file that is cut while it is open never reads as zeros") {
  Fixture f;
  put(*f.entry, 0, 200);
  const auto other = f.another();
  REQUIRE(other->check(150));
  const std::uint64_t data = f.entry->header().data_begin();
  std::filesystem::resize_file(f.path(), data + 100 * kBlock);
  CHECK(reads_right(*f.entry, 0, 100 * kBlock));
  // Whoever notices it first, by writing or by reading, does not make the file longer.
  CHECK_FALSE(other->put(250, noise(1, 250 * kBlock, kBlock)));
  std::vector<std::byte> bytes(kBlock);
  CHECK_FALSE(f.entry->read(150 * kBlock, bytes).value());
  CHECK_FALSE(f.entry->has(150));
  CHECK_FALSE(f.entry->check(150));
  CHECK_FALSE(f.entry->put(150, noise(1, 150 * kBlock, kBlock)));
  CHECK_FALSE(other->read(150 * kBlock, bytes).value());
  CHECK_FALSE(exists(f.path()));
  CHECK(f.another()->next_missing({0, 301}) == BlockRun{0, 301});
}

TEST_CASE("entry: the state is kept apart from everything else") {
  Fixture f;
  put(*f.entry, 0, 1);
  const blob::Freshness fresh{1'800'000'000, 60};
  REQUIRE(f.entry->set_freshness(fresh));
  REQUIRE(f.entry->seal(seal_sum(*f.entry)));
  CHECK(f.another()->info().freshness == fresh);
  CHECK(f.another()->sealed());
  REQUIRE(f.entry->unseal());
  CHECK(f.another()->info().freshness == fresh);
  CHECK_FALSE(f.another()->sealed());
  CHECK(f.another()->check(0));
  const blob::Info info = f.entry->info();
  CHECK(info.size == kSize);
  CHECK(info.validator == f.info.validator);
  CHECK(info.digest.empty());
  CHECK(info.name == f.info.name);
}

TEST_CASE("entry: a process that was stopped with the state locked holds up nobody for long") {
  Fixture f;
  put(*f.entry, 0, 2);
  REQUIRE(f.entry->seal(seal_sum(*f.entry)));
  const auto other = f.another();
  const ByteRange place = ByteRange::of(f.entry->header().state_begin(), kStateSize);
  const io::File holder = io::File::open_to_change(f.path()).value();
  REQUIRE(files::try_lock_range(holder, place).value().empty());
  // What is only advice is left out, and what it would have said is told.
  const Result<void> fresh = f.entry->set_freshness({1, 2});
  REQUIRE_FALSE(fresh);
  CHECK(fresh.error().code == ErrorCode::kBusy);
  CHECK(fresh.error().path == f.path());
  CHECK_FALSE(f.entry->seal(seal_sum(*f.entry)));
  // Nothing is put under a seal that cannot be taken away.
  CHECK(f.entry->sealed());
  CHECK_FALSE(f.entry->put(2, noise(1, 2 * kBlock, kBlock)));
  // A block that has gone bad is given up for everybody, and the seal with it.
  f.damage(1, noise(2, 0, 100));
  std::vector<std::byte> bytes(kBlock);
  CHECK(f.entry->recheck(1, bytes).value() == Entry::Recheck::kBad);
  CHECK_FALSE(other->check(1));
  CHECK_FALSE(f.entry->sealed());
  // A wrong digest cannot be marked; its name is taken away all the same.
  f.entry->discard();
  CHECK_FALSE(exists(f.path()));
}

TEST_CASE("cache: verifying what a stopped process has locked tells of its digest") {
  test::TempDir directory;
  const auto info = digest_info(1, 2 * kBlock);
  const auto cache = open_cache(directory.path());
  const auto entry = open_entry(*cache, info);
  REQUIRE(entry->put(0, noise(1, 0, 2 * kBlock)));
  const io::File holder = io::File::open_to_change(entry_path(directory.path(), info)).value();
  REQUIRE(files::try_lock_range(holder, ByteRange::of(entry->header().state_begin(), kStateSize))
              .value()
              .empty());
  const auto report = cache->verify(cache->list().value().at(0), {});
  REQUIRE(report);
  CHECK(report->entry.verified);
  CHECK_FALSE(entry->sealed());
}

TEST_CASE("entry: two threads that change the state do not undo each other's change") {
  const Fixture f;
  std::atomic<bool> enough{false};
  std::thread beside([&] {
    for (std::int64_t seconds = 1; !enough; ++seconds) (void)f.entry->set_freshness({1, seconds});
  });
  int lost = 0;
  for (int round = 0; round < 2000; ++round) {
    const bool done = f.entry->seal(seal_sum(*f.entry)) && f.entry->sealed() && f.entry->unseal();
    lost += done && !f.entry->sealed() ? 0 : 1;
  }
  enough = true;
  beside.join();
  CHECK(lost == 0);
}

// Root may write to everything, so that this one becomes somebody else for a while.
TEST_CASE("entry: one that may only be read gives what it has, and what is bad is missing") {
  if (::geteuid() != 0) return;
  Fixture f;
  put(*f.entry, 0, 3);
  f.damage(1, std::vector<std::byte>(kBlock));
  f.entry.reset();
  for (const std::string& path : {f.directory.path(), f.directory.path() + "/blobs"}) {
    REQUIRE(::chmod(path.c_str(), 0755) == 0);
  }
  REQUIRE(::chmod(f.path().c_str(), 0644) == 0);
  const pid_t child = fork_to([&] {
    const BootIdOverride boot("another boot");
    if (::seteuid(65534) != 0) return 10;
    const auto cache = open_cache(f.directory.path());
    const auto found = cache->find(key_of(f.info));
    if (!found || *found == nullptr) return 11;
    Entry& entry = **found;
    if (entry.item().writable()) return 12;
    if (!entry.check(0) || entry.check(1) || entry.check(1)) return 13;
    if (entry.next_missing({0, 3}) != BlockRun{1, 2}) return 14;
    if (entry.admit(1) != Room::kNone) return 15;
    // A Source goes on in memory.
    const Rig rig(*found, f.info);
    return read_all(*rig.source, 1) == Read::kRight ? 0 : 16;
  });
  CHECK(wait_for(child) == 0);
}

}  // namespace
}  // namespace shunt::cache
