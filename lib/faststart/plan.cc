#include "shunt/faststart/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "shunt/base/big_endian.h"
#include "shunt/base/checked.h"
#include "shunt/mp4/patched_ranges.h"

namespace shunt::faststart {
namespace {

constexpr std::uint64_t kFreeHeader = 8;
constexpr std::uint64_t kMaxFreeBox = std::numeric_limits<std::uint32_t>::max();
void append_free_header(std::uint64_t size, layout::Layout& layout) {
  std::array<std::byte, kFreeHeader> header{};
  store_be<std::uint32_t>(header.data(), static_cast<std::uint32_t>(size));
  store_be<std::uint32_t>(header.data() + 4, boxes::BoxType("free").code());
  layout.append_bytes(header);
}

// Returns the patch that turns the old moov into a free box: only its type changes.
layout::FieldPatch free_mark(const boxes::Box& moov) {
  return {moov.range.begin + 4, 4, boxes::BoxType("moov").code(), boxes::BoxType("free").code()};
}

std::vector<layout::FieldPatch> with_mark(std::vector<layout::FieldPatch> patches,
                                          const layout::FieldPatch& mark) {
  patches.insert(std::ranges::upper_bound(patches, mark.at, {}, &layout::FieldPatch::at), mark);
  return patches;
}

// Returns moov and the free box behind it, as far as that has content.
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
  mp4::PatchedRanges ranges(
      movie, sizing.map,
      std::make_shared<const std::vector<layout::FieldPatch>>(std::move(patches)), plan.layout);
  SHUNT_TRY(ranges.append({0, plan.room.at}));
  plan.layout.append_layout(front);
  std::uint64_t rest = plan.room.at;
  if (plan.room.reserved > 0) {
    // Behind the header of the new free box, the old bytes stay unchanged.
    rest += front.size();
  } else if (sizing.free_size > 0) {
    plan.layout.append_zeros(sizing.free_size - kFreeHeader);
  }
  if (marks_old_moov) return ranges.append({rest, file.size});
  SHUNT_TRY(ranges.append({rest, file.moov.range.begin}));
  return ranges.append({file.moov.range.end, file.size});
}

Result<in_place::Edit> build_edit(const mp4::Movie& movie, layout::Layout front,
                                  std::vector<layout::FieldPatch> patches, in_place::RoomKind kind,
                                  const Plan& plan) {
  const mp4::FileMap& file = movie.file;
  in_place::Edit edit;
  edit.room = kind;
  edit.size_before = file.size;
  edit.unit = plan.room.unit;
  edit.patches = std::move(patches);
  edit.needed = file.moov.range;
  if (kind == in_place::RoomKind::kReserved) {
    edit.gap_at = file.size;
    edit.front_at = ByteRange::of(plan.room.at, plan.room.reserved);
    edit.overwritten = ByteRange::of(plan.room.at, front.size());
  } else {
    edit.gap_at = round_down(plan.room.at, edit.unit);
    edit.gap_size = plan.sizing.shift;
    edit.front_at = {edit.gap_at, plan.room.at + plan.sizing.shift};
    edit.overwritten = {edit.gap_at, plan.room.at};
    // The bytes between the begin of the block and moov move along with moov.
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

// `strategy` may be null.
Result<Plan> build(mp4::Movie& movie, const Strategy* strategy, const mp4::Room& room,
                   std::optional<in_place::RoomKind> kind) {
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
  if (!kind) return plan;
  if (metas_grow(movie)) {
    return unsuitable("item locations outside moov have to grow, which needs a new file");
  }
  SHUNT_ASSIGN(in_place::Edit edit,
               build_edit(movie, std::move(front), std::move(patches), *kind, plan));
  plan.edit = std::move(edit);
  return plan;
}

}  // namespace

Error unsuitable(std::string reason) {
  Error error;
  error.code = ErrorCode::kUnsuitable;
  error.reason = std::move(reason);
  return error;
}

bool is_done(const mp4::Movie& movie, std::uint64_t padding) {
  return movie.file.moov_in_front && (padding == 0 || movie.room_behind_moov() >= padding);
}

mp4::MapUpTo needed_of(std::uint64_t padding) {
  return padding == 0 ? mp4::MapUpTo::kMoovInFront : mp4::MapUpTo::kEnd;
}

void make_room_behind(const mp4::Movie& movie, mp4::Room& room) {
  if (!movie.file.moov_in_front || room.at != movie.file.moov.range.begin) return;
  const bool drops = !room.keep_old_moov || movie.file.moov_is_last();
  room.joined = movie.room_behind_moov() + (drops ? 0 : movie.file.moov.range.size());
  room.padding = std::max(room.padding, room.joined) - room.joined;
}

mp4::Room room_in_front(const mp4::Movie& movie, const PlanOptions& options) {
  mp4::Room room;
  room.at = movie.file.insert_at;
  room.padding = options.padding;
  room.unit = options.unit;
  make_room_behind(movie, room);
  return room;
}

Result<Plan> build_plan(mp4::Movie& movie, const Strategy& strategy, const mp4::Room& room,
                        std::optional<in_place::RoomKind> edit) {
  return build(movie, &strategy, room, edit);
}

Result<in_place::Edit> replan(const io::SourcePtr& original,
                              const in_place::JournalRecord& record) {
  const in_place::Edit& then = record.edit;
  SHUNT_ASSIGN(mp4::Movie movie, mp4::read_movie(original, mp4::MapUpTo::kEnd));
  mp4::Room room;
  room.unit = then.unit;
  if (then.room == in_place::RoomKind::kReserved) {
    room.at = then.front_at.begin;
    room.reserved = then.front_at.size();
  } else {
    room.at = movie.file.insert_at;
    room.at_least = then.gap_size;
    make_room_behind(movie, room);
  }
  SHUNT_ASSIGN(Plan plan, build(movie, nullptr, room, then.room));
  if (!plan.edit) return unsuitable("the plan has no edit");
  in_place::Edit now = std::move(*plan.edit);
  const auto same_patch = [](const layout::FieldPatch& a, const layout::FieldPatch& b) {
    return a.at == b.at && a.width == b.width && a.new_value == b.new_value;
  };
  const bool same = now.gap_at == then.gap_at && now.gap_size == then.gap_size &&
                    now.front_at == then.front_at && now.needed == then.needed &&
                    now.overwritten == then.overwritten && now.cut_at == then.cut_at &&
                    now.mark.has_value() == then.mark.has_value() &&
                    std::ranges::equal(now.patches, then.patches, same_patch);
  if (!same) return unsuitable("planning again gives a different plan");
  return now;
}

}  // namespace shunt::faststart
