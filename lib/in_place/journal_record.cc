#include "shunt/in_place/journal_record.h"

#include <xxhash.h>

#include <bit>
#include <cstring>

#include "shunt/in_place/gap_stamp.h"

namespace shunt::in_place {
namespace {

constexpr std::string_view kMagic = "shuntjnl";
constexpr std::uint32_t kVersion = 4;

static_assert(std::endian::native == std::endian::little, "the journal is written as it lies");

std::uint64_t checksum_of(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

class Writer {
 public:
  template <typename T>
  void put(T value) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(&value);
    out_.insert(out_.end(), bytes, bytes + sizeof value);
  }
  void put(ByteRange range) {
    put(range.begin);
    put(range.end);
  }
  void put_bytes(std::span<const std::byte> bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  [[nodiscard]] std::vector<std::byte>& bytes() { return out_; }

 private:
  std::vector<std::byte> out_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T>
  void take(T& value) {
    if (const auto from = take_bytes(sizeof value); !from.empty()) {
      std::memcpy(&value, from.data(), sizeof value);
    }
  }
  void take(ByteRange& range) {
    take(range.begin);
    take(range.end);
    ok_ = ok_ && range.begin <= range.end;
  }
  // Returns an empty span, and clears ok_, if there are fewer bytes.
  std::span<const std::byte> take_bytes(std::uint64_t size) {
    ok_ = ok_ && size <= bytes_.size() - at_;
    if (!ok_) return {};
    const auto part = bytes_.subspan(at_, static_cast<std::size_t>(size));
    at_ += part.size();
    return part;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

// The fixed-size fields in order: one list for writing and reading.
template <typename Patch, typename Each>
void each_field_of_patch(Patch& patch, const Each& each) {
  each(patch.at);
  each(patch.width);
  each(patch.old_value);
  each(patch.new_value);
}

template <typename Record, typename Each>
void each_field_of_record(Record& record, const Each& each) {
  each(record.inode);
  each(record.born);
  each(record.modified_s);
  each(record.modified_ns);
  each(record.edit.size_before);
  each(record.edit.gap_at);
  each(record.edit.gap_size);
  each(record.edit.unit);
  each(record.edit.front_at);
  each(record.edit.overwritten);
  each(record.edit.needed);
  each(record.needed_digest);
  each(record.front_size);
  each(record.front_digest);
  each(record.stamp);
}

void put_patch(Writer& out, const layout::FieldPatch& patch) {
  each_field_of_patch(patch, [&](const auto& field) { out.put(field); });
}

layout::FieldPatch take_patch(Reader& in) {
  layout::FieldPatch patch;
  each_field_of_patch(patch, [&](auto& field) { in.take(field); });
  return patch;
}

bool is_field(const layout::FieldPatch& patch, std::uint64_t file_size) {
  return (patch.width == 4 || patch.width == 8) && patch.width <= file_size &&
         patch.at <= file_size - patch.width;
}

// Checks that a record describes one file and one consistent edit. A checksum protects the bytes of
// the journal, but says nothing about who wrote them.
bool is_consistent(const JournalRecord& record) {
  const Edit& edit = record.edit;
  constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 62;
  const bool gap = edit.room == RoomKind::kInserted || edit.room == RoomKind::kShifted;
  if (!gap && edit.room != RoomKind::kReserved) return false;
  if (record.modified_ns < 0 || record.modified_ns > 999'999'999) return false;
  // The gap must have room for the stamp, and zeros are not a stamp.
  if (edit.room == RoomKind::kShifted && (edit.gap_size < kStampSize || record.stamp == 0)) {
    return false;
  }
  const ByteRange file{0, edit.size_before};
  if (edit.size_before > kMaxSize || edit.gap_size > kMaxSize || !std::has_single_bit(edit.unit) ||
      edit.unit > kMaxSize) {
    return false;
  }
  if (gap ? edit.gap_size == 0 || edit.gap_size % edit.unit != 0 || edit.gap_at % edit.unit != 0 ||
                edit.gap_at >= edit.size_before
          : edit.gap_size != 0 || edit.gap_at != edit.size_before) {
    return false;
  }
  if (edit.needed.empty() || !file.contains(edit.needed) || !file.contains(edit.overwritten) ||
      !ByteRange{0, edit.size_with_gap()}.contains(edit.front_at) ||
      (gap && edit.front_at.begin != edit.gap_at)) {
    return false;
  }
  if (record.front_size > edit.front_at.size()) return false;
  if (!edit.cut_at && !edit.mark) return false;
  if (edit.cut_at && *edit.cut_at > edit.size_with_gap()) return false;
  if (edit.mark && !is_field(*edit.mark, edit.size_before)) return false;
  for (const layout::FieldPatch& patch : edit.patches) {
    if (!is_field(patch, edit.size_before)) return false;
  }
  const SavedBytes& saved = record.saved;
  if (!saved.zeros().empty() && !(saved.zeros() == edit.overwritten)) return false;
  for (std::size_t run = 0; run < saved.count(); ++run) {
    const bool ascends = run == 0 || saved.range(run - 1).end <= saved.range(run).begin;
    if (!ascends || !edit.overwritten.contains(saved.range(run))) return false;
  }
  for (const ByteRange hole : record.holes) {
    if (hole.begin < edit.gap_at || hole.end > edit.size_before + edit.unit) return false;
  }
  return true;
}

}  // namespace

Error damaged_journal(std::string_view why) {
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.operation = "read the journal";
  error.reason = why;
  return error;
}

std::vector<std::byte> encode_record(const JournalRecord& record) {
  const Edit& edit = record.edit;
  Writer out;
  out.put_bytes(std::as_bytes(std::span(kMagic)));
  out.put(kVersion);
  out.put(static_cast<std::uint32_t>(edit.room));
  out.put(std::uint64_t{0});  // size of the record, filled in below
  each_field_of_record(record, [&](const auto& field) { out.put(field); });
  out.put(static_cast<std::uint32_t>(edit.cut_at.has_value()));
  out.put(edit.cut_at.value_or(0));
  out.put(static_cast<std::uint32_t>(edit.mark.has_value()));
  put_patch(out, edit.mark.value_or(layout::FieldPatch{}));
  out.put(static_cast<std::uint64_t>(edit.patches.size()));
  for (const layout::FieldPatch& patch : edit.patches) put_patch(out, patch);
  out.put(record.saved.zeros());
  out.put(static_cast<std::uint64_t>(record.saved.count()));
  for (std::size_t run = 0; run < record.saved.count(); ++run) {
    out.put(record.saved.range(run).begin);
    out.put(record.saved.range(run).size());
    out.put_bytes(record.saved.bytes(run));
  }
  out.put(static_cast<std::uint64_t>(record.holes.size()));
  for (const ByteRange hole : record.holes) out.put(hole);
  const std::uint64_t size = out.bytes().size() + sizeof(std::uint64_t);
  std::memcpy(out.bytes().data() + 16, &size, sizeof size);
  out.put(checksum_of(out.bytes()));
  return std::move(out.bytes());
}

Result<JournalRecord> parse_record(std::span<const std::byte> bytes) {
  Reader head(bytes);
  const auto magic = head.take_bytes(kMagic.size());
  std::uint32_t version = 0;
  std::uint32_t room = 0;
  std::uint64_t size = 0;
  head.take(version);
  head.take(room);
  head.take(size);
  if (!head.ok() || std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0) {
    return damaged_journal("it is not a journal of shunt");
  }
  if (version != kVersion) return damaged_journal("it is of another version of shunt");
  if (size < 32 || size > bytes.size()) return damaged_journal("it is truncated");
  bytes = bytes.first(static_cast<std::size_t>(size));
  const auto body = bytes.first(bytes.size() - 8);
  std::uint64_t digest = 0;
  std::memcpy(&digest, bytes.data() + body.size(), sizeof digest);
  if (digest != checksum_of(body)) return damaged_journal("its checksum does not match");

  JournalRecord record;
  Edit& edit = record.edit;
  Reader in(body);
  (void)in.take_bytes(24);
  edit.room = static_cast<RoomKind>(room);
  each_field_of_record(record, [&](auto& field) { in.take(field); });
  std::uint32_t has_cut = 0;
  std::uint64_t cut_at = 0;
  std::uint32_t has_mark = 0;
  in.take(has_cut);
  in.take(cut_at);
  in.take(has_mark);
  const layout::FieldPatch mark = take_patch(in);
  if (has_cut != 0) edit.cut_at = cut_at;
  if (has_mark != 0) edit.mark = mark;
  std::uint64_t count = 0;
  in.take(count);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) edit.patches.push_back(take_patch(in));
  ByteRange zeros;
  in.take(zeros);
  record.saved.set_zeros(zeros);
  count = 0;
  in.take(count);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    std::uint64_t at = 0;
    std::uint64_t run_size = 0;
    in.take(at);
    in.take(run_size);
    const auto run_bytes = in.take_bytes(run_size);
    if (at > edit.size_before || run_size > edit.size_before - at) {
      return damaged_journal("its content is inconsistent");
    }
    record.saved.add(at, run_bytes);
  }
  count = 0;
  in.take(count);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    ByteRange hole;
    in.take(hole);
    record.holes.push_back(hole);
  }
  if (!in.ok() || !in.at_end() || !is_consistent(record)) {
    return damaged_journal("its content is inconsistent");
  }
  return record;
}

CursorSlot::Bytes encode_slot(const CursorSlot& slot) {
  Writer out;
  out.put(slot.sequence);
  out.put(slot.cursor);
  out.put(slot.from);
  out.put(slot.digest);
  out.put(std::uint64_t{slot.cut_comes_next ? 1U : 0U});
  out.put(checksum_of(out.bytes()));
  CursorSlot::Bytes bytes{};
  std::memcpy(bytes.data(), out.bytes().data(), bytes.size());
  return bytes;
}

std::optional<CursorSlot> parse_slot(const CursorSlot::Bytes& bytes) {
  Reader in(bytes);
  CursorSlot slot;
  std::uint64_t next = 0;
  std::uint64_t digest = 0;
  in.take(slot.sequence);
  in.take(slot.cursor);
  in.take(slot.from);
  in.take(slot.digest);
  in.take(next);
  in.take(digest);
  const auto body = std::span(bytes).first(bytes.size() - sizeof digest);
  if (digest != checksum_of(body) || slot.sequence == 0 || next > 1) return std::nullopt;
  slot.cut_comes_next = next == 1;
  return slot;
}

}  // namespace shunt::in_place
