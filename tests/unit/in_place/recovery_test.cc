// What recover() makes of a file and its journal: each state that an edit may have been stopped in,
// and each journal that is not the file's or cannot be read.
#include <fcntl.h>
#include <rapidcheck.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "shunt/base/big_endian.h"
#include "shunt/files/directory.h"
#include "shunt/in_place/in_place.h"
#include "shunt/io/kernel.h"
#include "shunt/layout/layout.h"
#include "support/catch.h"
#include "support/scripted_origin.h"
#include "support/temp_dir.h"

namespace shunt::in_place {
namespace {

using FileBytes = std::vector<std::byte>;

constexpr std::uint64_t kOldSize = 61'234;
constexpr std::uint64_t kNeededSize = 2'000;
constexpr std::uint64_t kTitleSize = 100;

// Each kind of room with each kind of tail.
struct EditKind {
  RoomKind room = RoomKind::kReserved;
  bool cuts = false;
};
std::vector<EditKind> all_kinds() {
  std::vector<EditKind> kinds;
  for (const RoomKind room : {RoomKind::kReserved, RoomKind::kInserted, RoomKind::kShifted}) {
    for (const bool cuts : {false, true}) kinds.push_back({room, cuts});
  }
  return kinds;
}

FileBytes old_bytes() {
  FileBytes bytes(kOldSize);
  test::fill_noise(5, 0, bytes);
  return bytes;
}

// A field of the old file that gets another value.
layout::FieldPatch patch_at(std::uint64_t at, std::uint32_t width) {
  const FileBytes bytes = old_bytes();
  const std::byte* const field = bytes.data() + at;
  const std::uint64_t old =
      width == 8 ? load_be<std::uint64_t>(field) : load_be<std::uint32_t>(field);
  return {at, width, old, old ^ 0x5a5a5a5aU};
}

// `title_size` bytes, and what is needed of the old file, seen through `original`.
io::SourcePtr front_of(const io::SourcePtr& original, ByteRange needed, std::uint64_t title_size) {
  auto front = std::make_shared<layout::Layout>();
  FileBytes title(static_cast<std::size_t>(title_size));
  test::fill_noise(6, 0, title);
  front->append_bytes(title);
  front->append(original, needed);
  return front;
}

Edit edit_of(const EditKind& kind, const io::SourcePtr& original,
             std::uint64_t title_size = kTitleSize) {
  Edit edit;
  edit.room = kind.room;
  edit.size_before = kOldSize;
  edit.needed =
      kind.cuts ? ByteRange{kOldSize - kNeededSize, kOldSize} : ByteRange::of(50'000, kNeededSize);
  edit.patches = {patch_at(20'000, 8), patch_at(30'000, 4)};
  edit.mark = patch_at(edit.needed.begin + 4, 4);
  if (kind.room == RoomKind::kReserved) {
    edit.gap_at = kOldSize;
    edit.front_at = ByteRange::of(1'000, kTitleSize + kNeededSize);
    edit.overwritten = edit.front_at;
  } else {
    edit.gap_at = 4'096;
    edit.gap_size = 8'192;
    edit.front_at = {4'096, 12'300};
    edit.overwritten = {4'096, 4'108};
  }
  if (kind.cuts) edit.cut_at = edit.moved(edit.needed.begin);
  edit.front = front_of(original, edit.needed, title_size);
  return edit;
}

template <typename Bytes>
void put_at(FileBytes& bytes, std::uint64_t at, const Bytes& part) {
  std::ranges::copy(part, bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

// The new file, computed without any of what is tested. `uncut`: with the mark where it would have
// been cut.
FileBytes new_bytes(const EditKind& kind, bool uncut = false) {
  const Edit edit = edit_of(kind, std::make_shared<io::MemorySource>(old_bytes()));
  FileBytes bytes = old_bytes();
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(edit.gap_at),
               static_cast<std::size_t>(edit.gap_size), std::byte{0});
  put_at(bytes, edit.front_at.begin, FileBytes(static_cast<std::size_t>(edit.front_at.size())));
  FileBytes front(static_cast<std::size_t>(edit.front->size()));
  REQUIRE(io::read_exactly(*edit.front, 0, front));
  put_at(bytes, edit.front_at.begin, front);
  const auto change = [&](const layout::FieldPatch& patch) {
    const auto encoded = patch.encode(patch.new_value);
    put_at(bytes, edit.moved(patch.at), std::span(encoded).first(patch.width));
  };
  std::ranges::for_each(edit.patches, change);
  if (kind.cuts && !uncut) {
    bytes.resize(static_cast<std::size_t>(*edit.cut_at));
  } else {
    change(*edit.mark);
  }
  return bytes;
}

// Goes wrong at one of the calls that change something, counted from 1. Nothing is synced: a
// process that is killed loses nothing that it has written.
class StepKernel final : public io::Kernel {
 public:
  enum class Then { kNothing, kKilled, kNoSpace };
  explicit StepKernel(Then then = Then::kNothing, unsigned at = 0) : then_(then), at_(at) {}

  [[nodiscard]] std::vector<std::string> names() const {
    const std::lock_guard lock(mutex_);
    return names_;
  }

  int open_at(int directory, const char* name, int flags, mode_t mode) override {
    if ((flags & O_CREAT) != 0 && !goes_on("create")) return -1;
    return Kernel::open_at(directory, name, flags, mode);
  }
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int flags) override {
    return goes_on("pwrite") ? Kernel::pwrite(fd, data, size, offset, flags) : -1;
  }
  int ftruncate(int fd, off_t size) override {
    return goes_on("ftruncate") ? Kernel::ftruncate(fd, size) : -1;
  }
  int fallocate(int fd, int mode, off_t offset, off_t size) override {
    return goes_on("fallocate") ? Kernel::fallocate(fd, mode, offset, size) : -1;
  }
  int fsync(int /*fd*/) override { return goes_on("fsync") ? 0 : -1; }
  int fdatasync(int /*fd*/) override { return goes_on("fdatasync") ? 0 : -1; }
  int sync_file_range(int /*fd*/, off_t /*offset*/, off_t /*size*/, unsigned /*flags*/) override {
    return 0;
  }
  int rename_no_replace_at(int directory, const char* from, const char* to) override {
    return goes_on("rename") ? Kernel::rename_no_replace_at(directory, from, to) : -1;
  }
  int unlink_at(int directory, const char* name) override {
    return goes_on("unlink") ? Kernel::unlink_at(directory, name) : -1;
  }
  int futimens(int fd, const struct timespec times[2]) override {
    return goes_on("futimens") ? Kernel::futimens(fd, times) : -1;
  }

 private:
  bool goes_on(const char* name) {
    const std::lock_guard lock(mutex_);
    names_.emplace_back(name);
    if (names_.size() != at_) return true;
    if (then_ == Then::kKilled) ::raise(SIGKILL);
    errno = ENOSPC;
    return then_ == Then::kNothing;
  }

  const Then then_;
  const unsigned at_;
  mutable std::mutex mutex_;  // a shift syncs in a thread of its own
  std::vector<std::string> names_;
};

// A file, what is done to it, and what becomes of it.
class Patient {
 public:
  explicit Patient(const EditKind& kind) : kind_(kind) { write(old_bytes()); }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string journal() const { return directory_.file(".film.shunt-journal"); }
  [[nodiscard]] bool has_companions() const {
    return std::ranges::distance(std::filesystem::directory_iterator(directory_.path()),
                                 std::filesystem::directory_iterator()) > 1;
  }
  [[nodiscard]] FileBytes bytes() const {
    const std::string text = test::content(path_);
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }
  void write(const FileBytes& bytes) const {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  void append(const std::string& text) const { std::ofstream(path_, std::ios::app) << text; }

  Result<void> edit() {
    io::File file = io::File::open_to_change(path_).value();
    const auto directory = files::Directory::holding(path_).value();
    const auto view = std::make_shared<OriginalView>(file, kOldSize);
    return run_edit(directory, file, *view, edit_of(kind_, view), options_);
  }
  // In this process, unless the kernel is told otherwise.
  Result<Recovered> recover(const Replan& replan, io::Kernel* kernel = nullptr) {
    StepKernel quick;
    const io::KernelOverride installed(kernel == nullptr ? &quick : kernel);
    return recover_with_kernel(replan);
  }
  Result<Recovered> recover_with_kernel(const Replan& replan) {
    io::File file = io::File::open_to_change(path_).value();
    const auto directory = files::Directory::holding(path_).value();
    return in_place::recover(directory, file, replan, options_);
  }
  [[nodiscard]] Replan as_before() const {
    return [this](const io::SourcePtr& original, const JournalRecord& record) {
      if (record.edit.size_before != kOldSize) return Result<Edit>(Error());
      return Result<Edit>(edit_of(kind_, original));
    };
  }
  Result<Recovered> recover(io::Kernel* kernel = nullptr) { return recover(as_before(), kernel); }
  // Calls of a run that is not stopped, by their names; the file is as before afterwards.
  std::vector<std::string> calls_of_edit() {
    StepKernel kernel;
    {
      const io::KernelOverride installed(&kernel);
      REQUIRE(edit());
    }
    REQUIRE((bytes() == new_bytes(kind_)));
    std::filesystem::remove(path_);
    write(old_bytes());
    return kernel.names();
  }
  // In another process, which is killed before its call number `at`; whether it came so far.
  bool killed(unsigned at, const std::function<bool()>& work) const {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      StepKernel kernel(StepKernel::Then::kKilled, at);
      const io::KernelOverride installed(&kernel);
      ::_exit(work() ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
    return WIFSIGNALED(status);
  }
  bool edit_is_killed(unsigned at) {
    return killed(at, [&] { return edit().has_value(); });
  }
  // Stopped with the journal there, and with all in its place but the last patch and the tail.
  void interrupt() {
    const std::vector<std::string> calls = calls_of_edit();
    const auto sync = std::find(calls.rbegin(), calls.rend(), "fdatasync");
    const auto at = static_cast<unsigned>(calls.rend() - sync) - 1;
    REQUIRE(calls.at(at - 1) == "pwrite");
    REQUIRE(edit_is_killed(at));
    REQUIRE(std::filesystem::exists(journal()));
  }
  Options& options() { return options_; }

 private:
  const EditKind kind_;
  Options options_;
  const test::TempDir directory_;
  const std::string path_ = directory_.file("film");
};

Result<Edit> cannot_be_planned(const io::SourcePtr& /*original*/, const JournalRecord& /*record*/) {
  Error error;
  error.code = ErrorCode::kUnsuitable;
  error.reason = "not any more";
  return error;
}

// ---- each state ---------------------------------------------------------------------------------

TEST_CASE("recovery: wherever an edit is killed, the original or the result is there") {
  for (const EditKind& kind : all_kinds()) {
    INFO(static_cast<int>(kind.room) << (kind.cuts ? " cut" : " marked"));
    const FileBytes before = old_bytes();
    const FileBytes after = new_bytes(kind);
    std::set<Recovered> seen;
    bool done = false;
    for (unsigned at = 1; !done; ++at) {
      INFO("call " << at);
      Patient patient(kind);
      done = !patient.edit_is_killed(at);
      const FileBytes found = patient.bytes();
      const auto recovered = patient.recover();
      REQUIRE(recovered);
      seen.insert(*recovered);
      const FileBytes now = patient.bytes();
      switch (*recovered) {
        case Recovered::kNothing:  // not begun, or done
          CHECK((now == found));
          CHECK((now == before || now == after));
          CHECK((now == after || !seen.contains(Recovered::kFinished)));
          break;
        case Recovered::kOriginal:
          CHECK((now == before));
          CHECK_FALSE(seen.contains(Recovered::kFinished));
          break;
        case Recovered::kFinished:
          CHECK((now == after));
          break;
      }
      CHECK_FALSE(patient.has_companions());
      CHECK(patient.recover().value() == Recovered::kNothing);
      CHECK((patient.bytes() == now));
    }
    CHECK(seen.contains(Recovered::kNothing));
    CHECK(seen.contains(Recovered::kFinished));
    // Without a gap there is nothing between the journal and the front.
    CHECK(seen.contains(Recovered::kOriginal) == (kind.room != RoomKind::kReserved));
  }
}

TEST_CASE("recovery: an edit that cannot be planned again is undone until its tail is cut") {
  for (const EditKind& kind : all_kinds()) {
    INFO(static_cast<int>(kind.room) << (kind.cuts ? " cut" : " marked"));
    bool done = false;
    bool finished = false;
    for (unsigned at = 1; !done; ++at) {
      INFO("call " << at);
      Patient patient(kind);
      done = !patient.edit_is_killed(at);
      const FileBytes found = patient.bytes();
      const auto recovered = patient.recover(cannot_be_planned);
      REQUIRE(recovered);
      if (*recovered == Recovered::kOriginal) {
        CHECK_FALSE(finished);
        CHECK((patient.bytes() == old_bytes()));
      } else {
        CHECK((patient.bytes() == found));
      }
      finished = finished || *recovered == Recovered::kFinished;
      CHECK_FALSE(patient.has_companions());
    }
    // A mark can be taken back; what was cut off cannot.
    CHECK(finished == kind.cuts);
  }
}

TEST_CASE("recovery: one that is killed leaves the next one as much to go by") {
  const std::vector<EditKind> kinds = all_kinds();
  CHECK(rc::check([&] {
    const EditKind& kind = kinds[*rc::gen::inRange<std::size_t>(0, kinds.size())];
    Patient patient(kind);
    const Replan replan =
        *rc::gen::arbitrary<bool>() ? Replan(cannot_be_planned) : patient.as_before();
    if (!patient.edit_is_killed(*rc::gen::inRange(1U, 40U))) return;
    for (int i = 0; i < 5; ++i) {
      if (!patient.killed(*rc::gen::inRange(1U, 30U),
                          [&] { return patient.recover_with_kernel(replan).has_value(); })) {
        break;
      }
    }
    RC_ASSERT(patient.recover(replan).has_value());
    const FileBytes now = patient.bytes();
    RC_ASSERT((now == old_bytes() || now == new_bytes(kind)));
    RC_ASSERT(!patient.has_companions());
  }));
}

// ---- what stands in the way ---------------------------------------------------------------------

TEST_CASE("recovery: without a journal nothing is done") {
  Patient patient({RoomKind::kShifted, false});
  CHECK(patient.recover().value() == Recovered::kNothing);
  CHECK((patient.bytes() == old_bytes()));
  // One that never became whole is no journal either, and goes.
  std::ofstream(patient.journal() + "-new") << "shuntjnl";
  CHECK(patient.recover().value() == Recovered::kNothing);
  CHECK_FALSE(patient.has_companions());
}

// That this journal stops the recovery, and that nothing is touched then.
std::string refusal_of(Patient& patient) {
  const FileBytes before = patient.bytes();
  const std::string journal = test::content(patient.journal());
  const auto recovered = patient.recover();
  REQUIRE_FALSE(recovered);
  CHECK(recovered.error().code == ErrorCode::kIntegrity);
  CHECK_FALSE(recovered.error().hint.empty());
  CHECK((patient.bytes() == before));
  CHECK((test::content(patient.journal()) == journal));
  return recovered.error().reason;
}

TEST_CASE("recovery: a journal that is torn or altered is not acted upon") {
  const auto room = GENERATE(RoomKind::kReserved, RoomKind::kInserted, RoomKind::kShifted);
  Patient patient({room, false});
  patient.interrupt();
  const std::string whole = test::content(patient.journal());
  const auto write_journal = [&](const std::string& text) {
    std::ofstream(patient.journal(), std::ios::binary) << text;
  };
  const auto refuse = [&] {
    const FileBytes before = patient.bytes();
    const auto recovered = patient.recover();
    REQUIRE_FALSE(recovered);
    CHECK(recovered.error().code == ErrorCode::kIntegrity);
    CHECK((patient.bytes() == before));
    return recovered.error().reason;
  };
  std::uint64_t record_size = 0;
  std::memcpy(&record_size, whole.data() + 16, sizeof record_size);  // docs/formats/journal.md
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{8}, record_size / 2, record_size - 1}) {
    INFO(size);
    write_journal(whole.substr(0, size));
    refuse();
  }
  for (std::size_t at = 0; at < record_size; at += 13) {
    INFO(at);
    std::string altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ 0x10);
    write_journal(altered);
    refuse();
  }
  std::string older = whole;
  older[8] = 3;
  write_journal(older);
  CHECK(refuse().find("another version of shunt") != std::string::npos);
  write_journal(whole);
  CHECK(patient.recover().value() == Recovered::kFinished);
  CHECK((patient.bytes() == new_bytes({room, false})));
}

TEST_CASE("recovery: the journal of another file is not acted upon") {
  Patient patient({RoomKind::kReserved, false});
  patient.interrupt();
  // The same bytes, as from a backup, under the same name.
  const std::string copy = patient.path() + "-copy";
  std::filesystem::copy_file(patient.path(), copy);
  std::filesystem::rename(copy, patient.path());
  CHECK(refusal_of(patient).find("it belongs to another file") != std::string::npos);
}

TEST_CASE("recovery: a file that was changed since is left alone") {
  const auto room = GENERATE(RoomKind::kReserved, RoomKind::kInserted, RoomKind::kShifted);
  const bool cuts = GENERATE(false, true);
  Patient patient({room, cuts});
  patient.interrupt();
  SECTION("in what the front is computed from") {
    std::fstream file(patient.path(), std::ios::in | std::ios::out | std::ios::binary);
    const Edit edit = edit_of({room, cuts}, std::make_shared<io::MemorySource>(old_bytes()));
    file.seekp(static_cast<std::streamoff>(edit.moved(edit.needed.begin + 1'000)));
    file << "changed";
    file.close();
    // Of an insertion it is not even clear where its gap is then.
    const std::string reason = refusal_of(patient);
    INFO(reason);
    CHECK((room == RoomKind::kInserted ||
           reason.find("the file has been changed since") != std::string::npos));
  }
  SECTION("in its size") {
    std::filesystem::resize_file(patient.path(), 45'000);
    CHECK(refusal_of(patient).find("the file is 45000 bytes long now") != std::string::npos);
  }
}

TEST_CASE("recovery: what another program has appended stays, and nothing is cut off") {
  for (const EditKind& kind : all_kinds()) {
    INFO(static_cast<int>(kind.room) << (kind.cuts ? " cut" : " marked"));
    const std::string more = "appended";
    const auto with_more = [&](FileBytes bytes) {
      const auto text = std::as_bytes(std::span(more));
      bytes.insert(bytes.end(), text.begin(), text.end());
      return bytes;
    };
    Patient finishing(kind);
    finishing.interrupt();
    finishing.append(more);
    CHECK(finishing.recover().value() == Recovered::kFinished);
    CHECK((finishing.bytes() == with_more(new_bytes(kind, true))));
    CHECK_FALSE(finishing.has_companions());
    Patient undoing(kind);
    undoing.interrupt();
    undoing.append(more);
    CHECK(undoing.recover(cannot_be_planned).value() == Recovered::kOriginal);
    CHECK((undoing.bytes() == with_more(old_bytes())));
    CHECK_FALSE(undoing.has_companions());
  }
}

TEST_CASE("recovery: once the tail is cut, what is appended belongs to the result") {
  const auto room = GENERATE(RoomKind::kReserved, RoomKind::kInserted, RoomKind::kShifted);
  const EditKind kind{room, true};
  Patient patient(kind);
  const std::vector<std::string> calls = patient.calls_of_edit();
  const auto cut = std::find(calls.rbegin(), calls.rend(), "ftruncate");
  REQUIRE(cut != calls.rend());
  REQUIRE(patient.edit_is_killed(static_cast<unsigned>(calls.rend() - cut) + 1));
  REQUIRE((patient.bytes() == new_bytes(kind)));
  patient.append("appended");
  const FileBytes grown = patient.bytes();
  SECTION("to one that is there") {
    CHECK(patient.recover(cannot_be_planned).value() == Recovered::kFinished);
    CHECK((patient.bytes() == grown));
    CHECK_FALSE(patient.has_companions());
  }
  SECTION("to one that was changed: nobody can tell what it is") {
    FileBytes changed = grown;
    changed[static_cast<std::size_t>(kind.room == RoomKind::kReserved ? 1'500 : 4'500)] ^=
        std::byte{1};
    patient.write(changed);
    refusal_of(patient);
  }
}

TEST_CASE("recovery: a front that has outgrown its room is not written") {
  for (const EditKind& kind : all_kinds()) {
    Patient patient(kind);
    patient.interrupt();
    const auto larger = [&](const io::SourcePtr& original, const JournalRecord& record) {
      return Result<Edit>(edit_of(kind, original, record.edit.front_at.size() - kNeededSize + 1));
    };
    CHECK(patient.recover(larger).value() == Recovered::kOriginal);
    CHECK((patient.bytes() == old_bytes()));
    CHECK_FALSE(patient.has_companions());
  }
}

TEST_CASE("recovery: where the front cannot be written, the original comes back") {
  for (const EditKind& kind : all_kinds()) {
    if (kind.room == RoomKind::kShifted) continue;  // it writes cursors first
    Patient patient(kind);
    patient.interrupt();
    // The first one takes away what is left of a journal that is not whole.
    StepKernel full(StepKernel::Then::kNoSpace, 2);
    CHECK(patient.recover(&full).value() == Recovered::kOriginal);
    CHECK(full.names().at(1) == "pwrite");
    CHECK((patient.bytes() == old_bytes()));
    CHECK_FALSE(patient.has_companions());
  }
}

TEST_CASE("recovery: a failure keeps the journal, and says how to go on") {
  Patient patient({RoomKind::kReserved, false});
  patient.interrupt();
  patient.options().recover_command = "mend it";
  {
    // Neither forward nor back.
    class Broken final : public io::Kernel {
     public:
      ssize_t pwrite(int, const void*, std::size_t, off_t, int) override {
        errno = EIO;
        return -1;
      }
    } broken;
    const auto recovered = patient.recover(&broken);
    REQUIRE_FALSE(recovered);
    CHECK(recovered.error().system_errno == EIO);
    CHECK(recovered.error().hint.find("mend it") != std::string::npos);
  }
  CHECK(std::filesystem::exists(patient.journal()));
  CHECK(patient.recover().value() == Recovered::kFinished);
  CHECK((patient.bytes() == new_bytes({RoomKind::kReserved, false})));
}

TEST_CASE("recovery: the time of modification is that before the edit, where it is to be kept") {
  const auto times = [](const Patient& patient) {
    struct stat status {};
    REQUIRE(::stat(patient.path().c_str(), &status) == 0);
    return std::pair(status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  };
  const bool kept = GENERATE(true, false);
  const bool finishes = GENERATE(true, false);
  Patient patient({RoomKind::kShifted, finishes});
  const std::size_t calls = patient.calls_of_edit().size() - 6;  // not all of them
  const struct timespec then[2] = {{1'000'000, 123}, {1'000'000, 123}};
  REQUIRE(::utimensat(AT_FDCWD, patient.path().c_str(), then, 0) == 0);
  patient.options().preserve_times = kept;
  REQUIRE(patient.edit_is_killed(static_cast<unsigned>(calls)));
  const auto recovered = finishes ? patient.recover() : patient.recover(cannot_be_planned);
  REQUIRE(recovered);
  CHECK(*recovered == (finishes ? Recovered::kFinished : Recovered::kOriginal));
  CHECK((times(patient) == std::pair<time_t, long>(1'000'000, 123)) == kept);
}

}  // namespace
}  // namespace shunt::in_place
