#include "faststart/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/big_endian.h"
#include "base/checked.h"
#include "faststart/patched_ranges.h"

namespace shunt::faststart {
namespace {

constexpr std::uint64_t kFreeHeader = 8;
constexpr std::uint64_t kMaxFreeBox = std::numeric_limits<std::uint32_t>::max();
// A shift syncs with each step, which takes as long as writing some mebibytes. A larger gap means
// fewer steps, but lies in front of the media: it is kept to a small part of the file, and a step
// above the last figure gains nothing more.
constexpr std::uint64_t kShiftSteps = 40;
constexpr std::uint64_t kMaxShiftStep = std::uint64_t{16} << 20;

std::uint64_t shift_step(std::uint64_t bytes_to_move) {
  return std::min(kMaxShiftStep, bytes_to_move / kShiftSteps);
}

void append_free_header(std::uint64_t size, layout::Layout& layout) {
  std::array<std::byte, kFreeHeader> header{};
  store_be<std::uint32_t>(header.data(), static_cast<std::uint32_t>(size));
  store_be<std::uint32_t>(header.data() + 4, mp4::BoxType("free").code());
  layout.append_bytes(header);
}

// The old moov turned into a free box: a change of its type alone.
layout::FieldPatch free_mark(const mp4::Box& moov) {
  return {moov.range.begin + 4, 4, mp4::BoxType("moov").code(), mp4::BoxType("free").code()};
}

std::vector<layout::FieldPatch> with_mark(std::vector<layout::FieldPatch> patches,
                                          const layout::FieldPatch& mark) {
  patches.insert(std::ranges::upper_bound(patches, mark.at, {}, &layout::FieldPatch::at), mark);
  return patches;
}

// moov and the free box behind it, as far as that has content.
Result<layout::Layout> front_of(const mp4::Movie& movie, const mp4::Sizing& sizing) {
  layout::Layout front(movie.source->name());
  SHUNT_TRY(mp4::append_moved(movie.moov, sizing.map, front));
  if (sizing.free_size > 0) append_free_header(sizing.free_size + sizing.joined, front);
  return front;
}

Result<void> build_layout(const mp4::Movie& movie, const layout::Layout& front,
                          std::vector<layout::FieldPatch> patches, Plan& plan) {
  const mp4::FileMap& file = movie.file;
  const mp4::Sizing& sizing = plan.sizing;
  const bool marks_old_moov = !sizing.drops_old_moov;
  if (marks_old_moov) patches = with_mark(std::move(patches), free_mark(file.moov));
  plan.layout = layout::Layout(movie.source->name());
  PatchedRanges ranges(movie, sizing.map,
                       std::make_shared<const std::vector<layout::FieldPatch>>(std::move(patches)),
                       plan.layout);
  SHUNT_TRY(ranges.append({0, plan.room.at}));
  plan.layout.append_layout(front);
  std::uint64_t rest = plan.room.at;
  if (plan.room.reserved > 0) {
    // Behind the new free box's header, the bytes of the old one stay as they are.
    rest += front.size();
  } else if (sizing.free_size > 0) {
    plan.layout.append_zeros(sizing.free_size - kFreeHeader);
  }
  if (marks_old_moov) return ranges.append({rest, file.size});
  SHUNT_TRY(ranges.append({rest, file.moov.range.begin}));
  return ranges.append({file.moov.range.end, file.size});
}

Result<layout::InPlaceEdit> build_edit(const mp4::Movie& movie, layout::Layout front,
                                       std::vector<layout::FieldPatch> patches,
                                       layout::RoomKind kind, const Plan& plan) {
  const mp4::FileMap& file = movie.file;
  layout::InPlaceEdit edit;
  edit.room = kind;
  edit.size_before = file.size;
  edit.unit = plan.room.unit;
  edit.patches = std::move(patches);
  edit.needed = file.moov.range;
  if (kind == layout::RoomKind::kReserved) {
    edit.gap_at = file.size;
    edit.front_at = ByteRange::of(plan.room.at, plan.room.reserved);
    edit.overwritten = ByteRange::of(plan.room.at, front.size());
  } else {
    edit.gap_at = round_down(plan.room.at, edit.unit);
    edit.gap_size = plan.sizing.shift;
    edit.front_at = {edit.gap_at, plan.room.at + plan.sizing.shift};
    edit.overwritten = {edit.gap_at, plan.room.at};
    // What lies between the block's begin and moov goes along with moov.
    std::vector<std::byte> head(static_cast<std::size_t>(edit.overwritten.size()));
    SHUNT_TRY(io::read_exactly(*movie.source, edit.gap_at, head));
    layout::Layout with_head(movie.source->name());
    with_head.append_bytes(head);
    with_head.append_layout(front);
    front = std::move(with_head);
  }
  if (plan.sizing.drops_old_moov) edit.cut_at = edit.moved(file.moov.range.begin);
  edit.mark = free_mark(file.moov);
  edit.front = std::make_shared<const layout::Layout>(std::move(front));
  return edit;
}

bool metas_grow(const mp4::Movie& movie) {
  return std::ranges::any_of(movie.fields.metas,
                             [](const mp4::BoxModel& meta) { return meta.growth() > 0; });
}

Result<Plan> make_plan_for(mp4::Movie& movie, Strategy strategy, const mp4::Room& room) {
  mp4::reset_sizing(movie);
  Plan plan;
  plan.strategy = strategy;
  plan.room = room;
  plan.size_before = movie.file.size;
  SHUNT_ASSIGN(plan.sizing, mp4::size_moov(movie, room));
  if (plan.sizing.free_size + plan.sizing.joined > kMaxFreeBox) {
    return unsuitable("the free box behind moov would be larger than 4 GiB");
  }
  plan.co64_upgraded = movie.moov.widened_tables();
  SHUNT_ASSIGN(std::vector<layout::FieldPatch> patches,
               mp4::patch_fields(movie.fields, *plan.sizing.map));
  SHUNT_ASSIGN(layout::Layout front, front_of(movie, plan.sizing));
  SHUNT_TRY(build_layout(movie, front, patches, plan));
  if (strategy == Strategy::kCopy) return plan;
  if (metas_grow(movie)) {
    return unsuitable("item locations outside moov have to grow, which needs a new file");
  }
  const auto kind = strategy == Strategy::kReserve ? layout::RoomKind::kReserved
                    : strategy == Strategy::kShift ? layout::RoomKind::kShifted
                                                   : layout::RoomKind::kInserted;
  SHUNT_ASSIGN(layout::InPlaceEdit edit,
               build_edit(movie, std::move(front), std::move(patches), kind, plan));
  plan.edit = std::move(edit);
  return plan;
}

// Room behind a moov that is where it should be. What is there already counts, and so does the old
// moov, unless its bytes are to go.
void make_room_behind(const mp4::Movie& movie, mp4::Room& room) {
  if (!movie.file.moov_in_front || room.at != movie.file.moov.range.begin) return;
  const bool drops = !room.keep_old_moov || movie.file.moov_is_last();
  room.joined = movie.room_behind_moov() + (drops ? 0 : movie.file.moov.range.size());
  room.padding = std::max(room.padding, room.joined) - room.joined;
}

// Neighbouring free boxes in front of all media, joined.
std::vector<ByteRange> reserved_ranges(const mp4::FileMap& file) {
  std::vector<ByteRange> ranges;
  for (const mp4::Box& box : file.free_in_front) {
    if (!ranges.empty() && ranges.back().end == box.range.begin) {
      ranges.back().end = box.range.end;
    } else {
      ranges.push_back(box.range);
    }
  }
  return ranges;
}

Result<Plan> plan_reserve(mp4::Movie& movie, const PlanOptions& options) {
  if (movie.file.moov_in_front) {
    return unsuitable(fmt::format("behind moov there are {} bytes of room, and no more",
                                  movie.room_behind_moov()));
  }
  std::uint64_t largest = 0;
  const std::uint64_t first_referenced = movie.first_referenced();
  for (const ByteRange range : reserved_ranges(movie.file)) {
    if (range.end > first_referenced) {
      if (largest > 0) break;
      return unsuitable(fmt::format("the free box at byte {} is referred to (byte {})", range.begin,
                                    first_referenced));
    }
    largest = std::max(largest, range.size());
    if (range.size() < movie.moov.box.range.size()) continue;  // moov only grows
    mp4::Room room;
    room.at = range.begin;
    room.reserved = range.size();
    room.unit = options.unit;
    room.padding = options.padding;
    Result<Plan> plan = make_plan_for(movie, Strategy::kReserve, room);
    if (plan || plan.error().code != ErrorCode::kUnsuitable) return plan;
  }
  if (largest == 0) return unsuitable("there is no free box in front of the media");
  return unsuitable(
      fmt::format("the largest free box in front of the media has {} bytes, moov "
                  "needs {}",
                  largest, movie.moov.moved_size() + options.padding));
}

}  // namespace

Error unsuitable(std::string reason) {
  Error error;
  error.code = ErrorCode::kUnsuitable;
  error.reason = std::move(reason);
  return error;
}

std::uint64_t Plan::bytes_to_read() const {
  // moov is read to be written, and for the digest of a journal; the rest once.
  const std::uint64_t moov = sizing.moov_size;
  switch (strategy) {
    case Strategy::kReserve:
    case Strategy::kInsert:
      return 2 * moov;
    case Strategy::kReflink:
      return moov;
    case Strategy::kCopy:
      return size_before;
    case Strategy::kShift:
      return size_before + 2 * moov;
  }
  return 0;
}

std::uint64_t Plan::bytes_to_write() const {
  switch (strategy) {
    case Strategy::kReserve:
    case Strategy::kInsert:
    case Strategy::kReflink:
      return edit->front->size();
    case Strategy::kCopy:
      return size_after();
    case Strategy::kShift:
      return size_before - edit->gap_at + edit->front->size();
  }
  return 0;
}

std::uint64_t Plan::writes_below() const {
  if (!keeps_inode(strategy)) return size_after();
  // The insertion makes the file longer too, whatever is cut off it later.
  if (strategy != Strategy::kReserve) return edit->size_with_gap();
  std::uint64_t end = edit->front_at.end;
  const auto include = [&](const layout::FieldPatch& patch) {
    end = std::max(end, edit->moved(patch.at) + patch.width);
  };
  std::ranges::for_each(edit->patches, include);
  if (edit->mark && !edit->cut_at) include(*edit->mark);
  return end;
}

std::uint64_t Plan::space_needed() const {
  const std::uint64_t journal = keeps_inode(strategy) ? journal_space() : 0;
  switch (strategy) {
    case Strategy::kReserve:
      return journal;
    case Strategy::kInsert:
    case Strategy::kReflink:
      return journal + round_up(edit->front->size(), room.unit) + room.unit;
    case Strategy::kCopy:
      return size_after();
    case Strategy::kShift:
      return journal + edit->gap_size;
  }
  return 0;
}

// At most, but for the holes of a sparse file.
std::uint64_t Plan::journal_space() const {
  constexpr std::uint64_t kBlock = 4096;
  constexpr std::uint64_t kFixed = 512;
  constexpr std::uint64_t kPerPatch = 28;
  const std::uint64_t record = kFixed + kPerPatch * edit->patches.size() + edit->overwritten.size();
  return round_up(record, kBlock) + (strategy == Strategy::kShift ? 2 * kBlock : 0);
}

bool is_done(const mp4::Movie& movie, std::uint64_t padding) {
  return movie.file.moov_in_front && (padding == 0 || movie.room_behind_moov() >= padding);
}

mp4::MapUpTo needed_of(std::uint64_t padding) {
  return padding == 0 ? mp4::MapUpTo::kMoovInFront : mp4::MapUpTo::kEnd;
}

Result<Plan> make_plan(mp4::Movie& movie, Strategy strategy, const PlanOptions& options) {
  if (strategy == Strategy::kReserve) return plan_reserve(movie, options);
  mp4::Room room;
  room.at = movie.file.insert_at;
  room.padding = options.padding;
  if (strategy == Strategy::kCopy) {
    room.keep_old_moov = movie.file.distances_cross_moov;
    make_room_behind(movie, room);
    return make_plan_for(movie, strategy, room);
  }
  room.unit = options.unit;
  if (strategy == Strategy::kShift) {
    room.at_least = shift_step(movie.file.size - movie.file.insert_at);
  }
  make_room_behind(movie, room);
  return make_plan_for(movie, strategy, room);
}

Result<layout::InPlaceEdit> replan(const io::SourcePtr& original,
                                   const layout::JournalRecord& record) {
  const layout::InPlaceEdit& then = record.edit;
  SHUNT_ASSIGN(mp4::Movie movie, mp4::read_movie(original, mp4::MapUpTo::kEnd));
  mp4::Room room;
  room.unit = then.unit;
  Strategy strategy = Strategy::kInsert;
  if (then.room == layout::RoomKind::kReserved) {
    strategy = Strategy::kReserve;
    room.at = then.front_at.begin;
    room.reserved = then.front_at.size();
  } else {
    if (then.room == layout::RoomKind::kShifted) strategy = Strategy::kShift;
    room.at = movie.file.insert_at;
    room.at_least = then.gap_size;
    make_room_behind(movie, room);
  }
  SHUNT_ASSIGN(Plan plan, make_plan_for(movie, strategy, room));
  if (!plan.edit) return unsuitable("the plan has no edit");
  layout::InPlaceEdit now = std::move(*plan.edit);
  const auto same_patch = [](const layout::FieldPatch& a, const layout::FieldPatch& b) {
    return a.at == b.at && a.width == b.width && a.new_value == b.new_value;
  };
  const bool same = now.gap_at == then.gap_at && now.gap_size == then.gap_size &&
                    now.front_at == then.front_at && now.needed == then.needed &&
                    now.overwritten == then.overwritten && now.cut_at == then.cut_at &&
                    now.mark.has_value() == then.mark.has_value() &&
                    std::ranges::equal(now.patches, then.patches, same_patch);
  if (!same) return unsuitable("the plan does not come out as it was");
  return now;
}

}  // namespace shunt::faststart
