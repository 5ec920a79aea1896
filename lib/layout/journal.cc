#include "layout/journal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/checked.h"
#include "io/kernel.h"
#include "io/path.h"

namespace shunt::layout {
namespace {

constexpr std::uint64_t kMaxSize = std::uint64_t{16} << 20;
constexpr std::uint64_t kSlotSize = 4096;  // a torn write of one slot cannot touch the other
constexpr const char* kSuffix = ".shunt-journal";
constexpr const char* kUnnamedSuffix = ".shunt-journal-new";

// A journal tells what to write into the target: it is believed only from those who may write there
// anyway.
Result<void> check_owner(const io::File& file, const std::string& target) {
  SHUNT_ASSIGN(const struct stat own, file.status());
  struct stat of_target {};
  struct stat named {};
  if (::stat(target.c_str(), &of_target) != 0 || ::lstat(file.path().c_str(), &named) != 0) {
    return system_error(errno, target, "read the journal");
  }
  const bool trusted =
      own.st_uid == ::geteuid() || own.st_uid == 0 || own.st_uid == of_target.st_uid;
  if (S_ISREG(named.st_mode) && own.st_nlink == 1 && (own.st_mode & 022) == 0 && trusted) return {};
  return damaged_journal("it is not a file of this user, of the target's owner or of root")
      .with_path(file.path());
}

}  // namespace

Journal::Journal(io::File file, std::string path, JournalRecord record)
    : file_(std::move(file)),
      path_(std::move(path)),
      record_(std::move(record)),
      cursor_(record_.edit.size_before) {}

std::string Journal::path_for(const std::string& target) {
  return io::companion(target, kSuffix);
}

Result<Journal> Journal::create(const std::string& target, const JournalRecord& record,
                                io::Counters* counters) {
  const std::string unnamed = io::companion(target, kUnnamedSuffix);
  SHUNT_TRY(io::remove_if_there(unnamed));  // of a run that died before its journal was whole
  SHUNT_ASSIGN(io::File file, io::File::create(unnamed, counters));
  Journal journal(std::move(file), path_for(target), record);
  const std::vector<std::byte> bytes = encode_record(record);
  journal.record_size_ = bytes.size();
  const auto write_and_name = [&]() -> Result<void> {
    SHUNT_TRY(journal.file_.write_at(0, bytes));
    if (record.edit.room == RoomKind::kShifted) {
      // The slots have to be there for good before the first cursor is written into them, so that
      // writing one changes no metadata.
      const std::vector<std::byte> zeros(2 * kSlotSize);
      SHUNT_TRY(journal.file_.write_at(journal.slot_at(0), zeros));
    }
    // The content comes before the name, so that a journal with its name is always whole.
    SHUNT_TRY(journal.file_.sync());
    if (io::kernel().rename_no_replace(unnamed.c_str(), journal.path_.c_str()) != 0) {
      return system_error(errno, journal.path_, "create the journal");
    }
    return {};
  };
  if (Result<void> done = write_and_name(); !done) {
    (void)io::remove_if_there(unnamed);
    return done.error();
  }
  // The name comes before the first change to the target, which the caller makes next.
  if (Result<void> synced = io::sync_directory(io::parent_directory(target)); !synced) {
    (void)io::remove_if_there(journal.path_);
    return synced.error();
  }
  return journal;
}

Result<std::optional<Journal>> Journal::open(const std::string& target) {
  SHUNT_TRY(io::remove_if_there(io::companion(target, kUnnamedSuffix)));
  const std::string path = path_for(target);
  Result<io::File> file = io::File::open_to_change(path);
  if (!file) {
    if (file.error().system_errno == ENOENT) return std::optional<Journal>();
    return file.error();
  }
  SHUNT_TRY(check_owner(*file, target));
  SHUNT_ASSIGN(const std::uint64_t size, file->size());
  if (size > kMaxSize) return damaged_journal("it is too large").with_path(path);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  SHUNT_ASSIGN(const std::size_t got, file->read_at(0, bytes));
  bytes.resize(got);
  Result<JournalRecord> record = parse_record(bytes);
  if (!record) {
    return record.error().with_path(path).with_hint(
        "nothing was changed; if the file beside it is whole, remove the journal");
  }
  Journal journal(std::move(*file), path, std::move(*record));
  std::memcpy(&journal.record_size_, bytes.data() + 16, sizeof journal.record_size_);
  if (journal.record_.edit.room == RoomKind::kShifted) SHUNT_TRY(journal.read_cursor());
  return std::optional<Journal>(std::move(journal));
}

std::uint64_t Journal::slot_at(std::uint64_t sequence) const {
  return round_up(record_size_, kSlotSize) + sequence % 2 * kSlotSize;
}

Result<void> Journal::set_cursor(std::uint64_t cursor) {
  // The two slots take turns: while one is being written the other still holds the cursor before.
  ++sequence_;
  unsettled_ = true;
  const CursorSlot::Bytes bytes = encode_slot({sequence_, cursor});
  SHUNT_TRY(file_.write_at(slot_at(sequence_), bytes));
  SHUNT_TRY(file_.sync_data());
  unsettled_ = false;
  cursor_ = cursor;
  return {};
}

Result<void> Journal::settle_cursor() {
  if (!unsettled_) return {};
  // One more makes set_cursor take the slot that failed, and not the one that holds cursor_.
  ++sequence_;
  return set_cursor(cursor_);
}

Result<void> Journal::read_cursor() {
  for (const std::uint64_t slot : {std::uint64_t{0}, std::uint64_t{1}}) {
    CursorSlot::Bytes bytes{};
    SHUNT_ASSIGN(const std::size_t got, file_.read_at(slot_at(slot), bytes));
    const auto read = got == bytes.size() ? parse_slot(bytes) : std::nullopt;
    if (!read || read->sequence <= sequence_) continue;
    sequence_ = read->sequence;
    cursor_ = read->cursor;
  }
  if (cursor_ < record_.edit.gap_at || cursor_ > record_.edit.size_before) {
    return damaged_journal("its cursor makes no sense").with_path(path_);
  }
  return {};
}

Result<void> Journal::remove() {
  SHUNT_TRY(io::remove_if_there(path_));
  SHUNT_TRY(file_.close());
  return io::sync_directory(io::parent_directory(path_));
}

}  // namespace shunt::layout
