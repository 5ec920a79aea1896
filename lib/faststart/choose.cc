#include "faststart/choose.h"

#include <fmt/format.h>

#include <cerrno>

#include "base/size_text.h"
#include "faststart/new_file.h"

namespace shunt::faststart {

Result<Setting> Setting::of(const io::File& file) {
  Setting setting;
  SHUNT_ASSIGN(setting.status, file.status());
  SHUNT_ASSIGN(setting.file_system, io::FileSystem::of(file));
  return setting;
}

std::string why_not(const Plan& plan, const Setting& setting) {
  const io::FileSystem& file_system = setting.file_system;
  switch (plan.strategy) {
    case Strategy::kReserve:
      return {};
    case Strategy::kInsert:
      if (!file_system.insert_range) {
        return fmt::format("{} cannot insert a range into a file", file_system.name);
      }
      break;
    case Strategy::kReflink:
      if (!file_system.clone_range) {
        return fmt::format("{} cannot share extents between files", file_system.name);
      }
      if (std::string reason = why_not_replaceable(setting.status); !reason.empty()) return reason;
      break;
    case Strategy::kCopy:
      if (std::string reason = why_not_replaceable(setting.status); !reason.empty()) return reason;
      break;
    case Strategy::kShift:
      break;
  }
  std::uint64_t needed = plan.space_needed();
  if (plan.strategy == Strategy::kShift && file_system.copies_on_write) {
    needed += plan.size_before - plan.edit->gap_at;
  }
  if (plan.strategy == Strategy::kCopy) {
    // A sparse file stays sparse.
    needed = std::min(needed, static_cast<std::uint64_t>(setting.status.st_blocks) * 512 +
                                  plan.sizing.moov_size + file_system.block_size);
  }
  if (needed > file_system.free_bytes) {
    return fmt::format("it needs {} of free space, there are {}", format_size(needed),
                       format_size(file_system.free_bytes));
  }
  return {};
}

std::string describe(const Plan& plan) {
  switch (plan.strategy) {
    case Strategy::kReserve:
      return fmt::format("moov goes into the {} that are reserved at byte {}; nothing else moves",
                         format_size(plan.room.reserved), plan.room.at);
    case Strategy::kInsert:
      return fmt::format("the file system opens {} at byte {}; only moov is written",
                         format_size(plan.sizing.shift), plan.edit->gap_at);
    case Strategy::kReflink:
      return "a new file shares the extents of this one and takes its place; only moov is written";
    case Strategy::kCopy:
      return "a new file is written beside this one and takes its place";
    case Strategy::kShift:
      return fmt::format("every byte behind moov moves by {} within the file, in steps of that",
                         format_size(plan.sizing.shift));
  }
  return {};
}

bool leaves_to_others(Strategy strategy, const Error& error) {
  if (error.code == ErrorCode::kUnsuitable) return true;
  // A new file that does not fit: the shift needs less.
  return !keeps_inode(strategy) && (error.system_errno == ENOSPC || error.system_errno == EDQUOT);
}

}  // namespace shunt::faststart
