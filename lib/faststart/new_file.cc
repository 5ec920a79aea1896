#include "faststart/new_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/checked.h"
#include "layout/overwrite.h"

namespace shunt::faststart {

Result<void> write_reflink(const Plan& plan, const io::FileRange& source, io::File& out) {
  const layout::InPlaceEdit& edit = *plan.edit;
  // What is kept by the cache begins behind a header.
  const auto share = [&](ByteRange range, std::uint64_t at) {
    return out.clone_from(*source.file, range.moved_by(source.begin), at);
  };
  if (edit.gap_at > 0) SHUNT_TRY(share({0, edit.gap_at}, 0));
  // Whole blocks, but for the last one of the file. What is shared beyond the cut is cut again.
  const std::uint64_t old_end = edit.cut_at ? *edit.cut_at - edit.gap_size : edit.size_before;
  const std::uint64_t end = std::min(round_up(old_end, edit.unit), edit.size_before);
  if (end > edit.gap_at) {
    SHUNT_TRY(share({edit.gap_at, end}, edit.gap_at + edit.gap_size));
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
  if (!edit.cut_at && edit.mark) {
    SHUNT_TRY(
        layout::write_field(out, *edit.mark, edit.moved(edit.mark->at), edit.mark->new_value));
  }
  return {};
}

std::string why_not_ownable(const struct stat& status, gid_t new_group) {
  if (::geteuid() == 0) return {};
  if (status.st_uid != ::geteuid()) {
    return "the file belongs to another user, whom a new file could not be given to";
  }
  if (status.st_gid == new_group || status.st_gid == ::getegid()) return {};
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  if (std::ranges::find(groups, status.st_gid) != groups.end()) return {};
  return "the file belongs to a group that this user could not give a new file to";
}

gid_t group_in(const struct stat& directory) {
  return (directory.st_mode & S_ISGID) != 0 ? directory.st_gid : ::getegid();
}

}  // namespace shunt::faststart
