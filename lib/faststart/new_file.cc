#include "faststart/new_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/checked.h"
#include "layout/overwrite.h"

namespace shunt::faststart {

Result<void> write_reflink(const Plan& plan, const io::File& source, io::File& out) {
  const layout::InPlaceEdit& edit = *plan.edit;
  if (edit.gap_at > 0) SHUNT_TRY(out.clone_from(source, {0, edit.gap_at}, 0));
  // Whole blocks, but for the last one of the file. What is shared beyond the cut is cut again.
  const std::uint64_t old_end = edit.cut_at ? *edit.cut_at - edit.gap_size : edit.size_before;
  const std::uint64_t end = std::min(round_up(old_end, edit.unit), edit.size_before);
  if (end > edit.gap_at) {
    SHUNT_TRY(out.clone_from(source, {edit.gap_at, end}, edit.gap_at + edit.gap_size));
  }
  SHUNT_TRY(out.truncate(edit.size_after()));
  SHUNT_TRY(layout::write_source(out, edit.front_at.begin, *edit.front));
  // The old head came along with its block and lies in the free box now.
  const std::uint64_t front_end = edit.front_at.begin + edit.front->size();
  SHUNT_TRY(layout::write_zeros(
      out,
      {std::clamp(edit.gap_at + edit.gap_size, front_end, edit.front_at.end), edit.front_at.end}));
  for (const layout::FieldPatch& patch : edit.patches) {
    SHUNT_TRY(layout::write_field(out, patch, edit.moved(patch.at), patch.new_value));
  }
  if (edit.mark) {
    SHUNT_TRY(
        layout::write_field(out, *edit.mark, edit.moved(edit.mark->at), edit.mark->new_value));
  }
  return {};
}

std::string why_not_replaceable(const struct stat& status) {
  if (status.st_nlink > 1) {
    return fmt::format("the file has {} names, which a new file would part", status.st_nlink);
  }
  if (::geteuid() != 0 && status.st_uid != ::geteuid()) {
    return "the file belongs to another user, whom a new file could not be given to";
  }
  return {};
}

}  // namespace shunt::faststart
