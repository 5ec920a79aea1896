#include "shunt/in_place/journal.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "shunt/base/checked.h"
#include "shunt/files/found_file.h"
#include "shunt/files/path.h"
#include "shunt/in_place/journal_mark.h"
#include "shunt/in_place/journal_names.h"

namespace shunt::in_place {
namespace {

constexpr std::uint64_t kMaxSize = std::uint64_t{16} << 20;
constexpr std::uint64_t kSlotSize = 4096;  // a torn write of one slot cannot touch the other

constexpr const char* kRemoveHint =
    "nothing was changed; if the file beside it is complete, remove the journal";

// Creates the file of a journal that is being written. Removes the leftover of a run that died; a
// leftover that cannot be removed (another user's, in a directory with the sticky bit) is passed
// over.
Result<io::File> create_unfinished(const files::Directory& directory, std::string& name,
                                   io::Counters* counters) {
  (void)directory.remove_if_there(name);
  for (const std::string plain = name;; name = plain + "-" + files::random_digits()) {
    Result<io::File> file =
        directory.open(name, O_RDWR | O_CREAT | O_EXCL, "create the journal", counters);
    if (file || file.error().system_errno != EEXIST) return file;
  }
}

}  // namespace

Journal::Journal(io::File file, const files::Directory& directory, std::string name,
                 JournalRecord record)
    : file_(std::move(file)),
      directory_(&directory),
      name_(std::move(name)),
      path_(directory.path_of(name_)),
      record_(std::move(record)),
      cursor_(record_.edit.size_before) {}

Result<Journal> Journal::create(const files::Directory& directory, const io::File& target,
                                const JournalRecord& record, io::Counters* counters) {
  const std::string target_name = files::file_name(target.path());
  SHUNT_ASSIGN(const JournalNames names, JournalNames::of(directory, target_name, target));
  SHUNT_ASSIGN(std::string name, names.free_name());
  std::string unfinished = unfinished_journal_name(target_name);
  SHUNT_ASSIGN(io::File file, create_unfinished(directory, unfinished, counters));
  Journal journal(std::move(file), directory, std::move(name), record);
  const std::vector<std::byte> bytes = encode_record(record);
  journal.record_size_ = bytes.size();
  const auto write_and_name = [&]() -> Result<void> {
    SHUNT_TRY(journal.file_.write_at(0, bytes));
    if (record.edit.room == RoomKind::kShifted) {
      // The slots must be allocated before the first cursor is written into them, so that writing
      // one changes no metadata.
      const std::vector<std::byte> zeros(2 * kSlotSize);
      SHUNT_TRY(journal.file_.write_at(journal.slot_at(0), zeros));
    }
    // The content is synced before the rename: a journal with its name is always complete.
    SHUNT_TRY(journal.file_.sync());
    // Others never pass over a marked journal.
    if (names.takes_mark()) SHUNT_TRY(set_mark(target, journal.name_));
    return directory.rename_no_replace(unfinished, journal.name_);
  };
  if (Result<void> done = write_and_name(); !done) {
    (void)directory.remove_if_there(unfinished);
    clear_mark(target);
    return done.error();
  }
  const auto settle = [&]() -> Result<void> {
    // In another user's directory, the name may lead to something else by now.
    if (!directory.leads_to(journal.name_, journal.file_)) {
      Error error = system_error(EBUSY, journal.path_, "create the journal");
      error.reason = "another process has put something in its place";
      return error;
    }
    // The name must be durable before the caller changes the target.
    return directory.sync();
  };
  if (Result<void> settled = settle(); !settled) {
    (void)directory.remove_if_there(journal.name_);
    clear_mark(target);
    return settled.error();
  }
  return journal;
}

Result<std::optional<std::string>> Journal::pending(const files::Directory& directory,
                                                    const std::string& name,
                                                    const io::File& target) {
  SHUNT_ASSIGN(const JournalNames names, JournalNames::of(directory, name, target));
  return names.taken();
}

void Journal::sweep(const files::Directory& directory, const std::string& name) {
  // What cannot be removed does no harm.
  const std::string unfinished = unfinished_journal_name(name);
  const auto found = directory.look(unfinished);
  if (found && *found) (void)directory.remove_if_there(unfinished);
}

Result<std::optional<Journal>> Journal::open(const files::Directory& directory,
                                             const io::File& target) {
  // The leftover of a run that died before its journal was complete. What cannot be removed does no
  // harm.
  const std::string target_name = files::file_name(target.path());
  (void)directory.remove_if_there(unfinished_journal_name(target_name));
  SHUNT_ASSIGN(const struct stat status, target.status());
  SHUNT_ASSIGN(const auto name, pending(directory, target_name, target));
  if (!name) return std::optional<Journal>();
  const std::string path = directory.path_of(*name);
  // A journal says what to write into the target: it is accepted only from users who may write to
  // the target anyway.
  Result<io::File> file = files::open_found(directory, *name, files::FoundFor::kChanging,
                                            {.owner = status.st_uid}, target.counters());
  if (!file) {
    if (file.error().system_errno == ENOENT) return std::optional<Journal>();
    if (file.error().code != ErrorCode::kIntegrity) return file.error();
    return damaged_journal(file.error().reason).with_path(path).with_hint(kRemoveHint);
  }
  SHUNT_ASSIGN(const std::uint64_t size, file->size());
  if (size > kMaxSize) return damaged_journal("it is too large").with_path(path);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  SHUNT_ASSIGN(const std::size_t got, file->read_at(0, bytes));
  bytes.resize(got);
  Result<JournalRecord> record = parse_record(bytes);
  if (!record) return record.error().with_path(path).with_hint(kRemoveHint);
  Journal journal(std::move(*file), directory, *name, std::move(*record));
  std::memcpy(&journal.record_size_, bytes.data() + 16, sizeof journal.record_size_);
  if (journal.record_.edit.room == RoomKind::kShifted) SHUNT_TRY(journal.read_cursor());
  return std::optional<Journal>(std::move(journal));
}

std::uint64_t Journal::slot_at(std::uint64_t sequence) const {
  return round_up(record_size_, kSlotSize) + sequence % 2 * kSlotSize;
}

Result<void> Journal::set_cursor(std::uint64_t cursor) {
  SHUNT_TRY(write_slot({0, cursor, cursor, 0, false}));
  SHUNT_TRY(sync());
  end_step(cursor);
  return {};
}

Result<void> Journal::announce_cut(std::uint64_t cursor) {
  SHUNT_TRY(write_slot({0, cursor, cursor, 0, true}));
  SHUNT_TRY(sync());
  end_step(cursor);
  cut_comes_next_ = true;
  return {};
}

Result<void> Journal::begin_step(std::uint64_t cursor, std::uint64_t digest) {
  return write_slot({0, cursor, cursor_, digest, false});
}

void Journal::end_step(std::uint64_t cursor) {
  unsettled_ = false;
  cut_comes_next_ = false;
  cursor_ = cursor;
}

Result<void> Journal::write_slot(CursorSlot slot) {
  // The two slots alternate: while one is written, the other still holds the previous cursor.
  slot.sequence = ++sequence_;
  unsettled_ = true;
  return file_.write_at(slot_at(sequence_), encode_slot(slot));
}

Result<void> Journal::settle_cursor() {
  if (!unsettled_ && !cut_comes_next_) return {};
  // Skips a sequence number, so that set_cursor takes the slot that failed, not the one with
  // cursor_.
  if (unsettled_) ++sequence_;
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
    last_step_ = *read;
    cut_comes_next_ = read->cut_comes_next;
  }
  // It exceeds size_before if an undo has moved back appended data too.
  const std::uint64_t low = has_cursor() ? std::min(cursor_, last_step_.from) : cursor_;
  if (low < record_.edit.gap_at || std::max(cursor_, last_step_.from) > INT64_MAX) {
    return damaged_journal("its cursor is invalid").with_path(path_);
  }
  return {};
}

Result<void> Journal::remove(const io::File& target) {
  SHUNT_TRY(directory_->remove_if_there(name_));
  removed_ = true;
  SHUNT_TRY(file_.close());
  SHUNT_TRY(directory_->sync());
  clear_mark(target);
  return {};
}

}  // namespace shunt::in_place
