// reflink: makes a new file that shares the extents of the old one.
#include <fmt/format.h>

#include <algorithm>

#include "shunt/base/checked.h"
#include "shunt/faststart/plan.h"
#include "shunt/faststart/setting.h"
#include "shunt/faststart/strategy.h"
#include "shunt/files/file_system.h"
#include "shunt/layout/overwrite.h"

namespace shunt::faststart {
namespace {

// Fills `out`, which is empty. Returns kUnsuitable if the file system cannot share, or not at that
// offset.
Result<void> share(const in_place::Edit& edit, const io::FileRange& source, io::File& out) {
  // A cached file begins behind a header.
  const auto clone = [&](ByteRange range, std::uint64_t at) {
    return out.clone_from(*source.file, range.moved_by(source.begin), at);
  };
  if (edit.gap_at > 0) SHUNT_TRY(clone({0, edit.gap_at}, 0));
  // Shares whole blocks, except the last one of the file. What is shared beyond the cut is cut off
  // again.
  const std::uint64_t old_end = edit.cut_at ? *edit.cut_at - edit.gap_size : edit.size_before;
  const std::uint64_t end = std::min(round_up(old_end, edit.unit), edit.size_before);
  if (end > edit.gap_at) {
    SHUNT_TRY(clone({edit.gap_at, end}, edit.gap_at + edit.gap_size));
  }
  SHUNT_TRY(out.truncate(edit.size_after()));
  SHUNT_TRY(layout::write_source(out, edit.front_at.begin, *edit.front));
  // The old head was shared with its block and now lies in the free box.
  const std::uint64_t front_end = edit.front_at.begin + edit.front->size();
  SHUNT_TRY(layout::write_zeros(
      out,
      {std::clamp(edit.gap_at + edit.gap_size, front_end, edit.front_at.end), edit.front_at.end}));
  for (const layout::FieldPatch& patch : edit.patches) {
    SHUNT_TRY(layout::write_field(out, patch, edit.moved(patch.at), patch.new_value));
  }
  if (!edit.cut_at && edit.mark) {
    SHUNT_TRY(
        layout::write_field(out, *edit.mark, edit.moved(edit.mark->at), edit.mark->new_value));
  }
  return {};
}

class Reflink final : public Strategy {
 public:
  [[nodiscard]] std::string_view name() const override { return "reflink"; }
  [[nodiscard]] bool keeps_inode() const override { return false; }
  [[nodiscard]] bool takes(const io::FileRange& source) const override {
    return source.file != nullptr;
  }

  [[nodiscard]] Result<Plan> plan(mp4::Movie& movie, const PlanOptions& options) const override {
    return build_plan(movie, *this, room_in_front(movie, options), in_place::RoomKind::kInserted);
  }

  [[nodiscard]] std::string describe(const Plan& /*plan*/, NewFileGoes where) const override {
    return fmt::format("a new file shares the extents of this one{}; only moov is written",
                       where == NewFileGoes::kInItsPlace ? " and replaces it" : "");
  }

  [[nodiscard]] Cost cost(const Plan& plan) const override {
    const std::uint64_t front = plan.edit->front->size();
    return {.to_read = plan.sizing.moov_size,
            .to_write = front,
            .writes_below = plan.size_after(),
            .space = round_up(front, plan.room.unit) + plan.room.unit};
  }

  [[nodiscard]] std::string why_not(const Plan& plan, const Setting& setting) const override {
    if (!setting.file_system.clone_range) {
      return fmt::format("{} cannot share extents between files", setting.file_system.name);
    }
    if (setting.status.st_nlink > 1) return why_not_parted(setting);
    return why_no_space(plan, setting);
  }

  [[nodiscard]] std::string why_not_tried(const Plan& plan, const Setting& setting,
                                          const files::Directory& directory,
                                          const io::FileRange& source) const override {
    if (takes(source) && files::can_share(directory, *source.file, plan.room.unit)) return {};
    return fmt::format("{} cannot share these extents", setting.file_system.name);
  }

  Result<void> run(const Plan& plan, Work& work) const override {
    return work.make_new(plan, [&](const io::FileRange& source, io::File& out) {
      return share(*plan.edit, source, out);
    });
  }
};

}  // namespace

const Strategy& reflink() {
  static const Reflink strategy;
  return strategy;
}

}  // namespace shunt::faststart
