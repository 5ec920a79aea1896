#include "faststart/choose.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/size_text.h"
#include "faststart/new_file.h"
#include "io/inode_flags.h"

namespace shunt::faststart {
namespace {

std::string why_not_parted(const struct stat& status) {
  return fmt::format("the file has {} names, which a new file would part", status.st_nlink);
}

std::uint64_t least_space(const Plan& plan, const Setting& setting) {
  const std::uint64_t needed = plan.space_needed();
  if (plan.strategy != Strategy::kCopy || !setting.has_status) return needed;
  // A sparse file stays sparse.
  return std::min(needed, static_cast<std::uint64_t>(setting.status.st_blocks) * 512 +
                              plan.sizing.moov_size + setting.file_system.block_size);
}

std::string missing_space(std::uint64_t needed, const Setting& setting) {
  if (needed <= setting.file_system.free_bytes) return {};
  return fmt::format("it needs {} of free space, there are {}", format_size(needed),
                     format_size(setting.file_system.free_bytes));
}

std::uint64_t limit_of_sizes() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

// The group of a new file in the directory.
Result<gid_t> new_group_in(const io::Directory& directory) {
  SHUNT_ASSIGN(const auto own, directory.look("."));
  return own ? group_in(*own) : ::getegid();
}

// A file of another project gets no name by a rename where new ones inherit theirs.
bool has_another_project(const io::Directory& directory, const io::File& file) {
  const Result<io::File> opened = directory.open(".", O_RDONLY | O_DIRECTORY, "open directory");
  if (!opened) return false;
  const auto project = io::inherited_project(*opened);
  return project && *project != io::InodeFlags::of(file).project;
}

}  // namespace

Result<Setting> Setting::of(const io::Directory& directory, const io::File& file) {
  Setting setting;
  SHUNT_ASSIGN(setting.status, file.status());
  setting.has_status = true;
  SHUNT_ASSIGN(setting.file_system, io::FileSystem::of(file));
  SHUNT_ASSIGN(setting.new_group, new_group_in(directory));
  setting.size_limit = limit_of_sizes();
  setting.is_of_other_project = has_another_project(directory, file);
  return setting;
}

Result<Setting> Setting::beside(const io::Directory& directory, const io::File* file) {
  Setting setting;
  SHUNT_ASSIGN(setting.file_system, io::FileSystem::of(directory));
  if (file != nullptr) {
    SHUNT_ASSIGN(setting.status, file->status());
    setting.has_status = true;
  }
  SHUNT_ASSIGN(setting.new_group, new_group_in(directory));
  setting.size_limit = limit_of_sizes();
  return setting;
}

std::string why_too_large(const Plan& plan, const Setting& setting) {
  const std::uint64_t end = plan.writes_below();
  if (end <= setting.size_limit) return {};
  return fmt::format(
      "it writes up to byte {}, and the limit on the size of files is {} (ulimit -f)", end,
      setting.size_limit);
}

std::string why_impossible(const Plan& plan, const Setting& setting) {
  if (std::string reason = why_too_large(plan, setting); !reason.empty()) return reason;
  if (keeps_inode(plan.strategy)) return {};
  if (setting.file_system.is_mount_point) {
    return "something is mounted on the name of the file, which no other file can have then";
  }
  if (setting.is_of_other_project) {
    return "the folder takes no new name of a file of another project (chattr +P)";
  }
  return why_not_ownable(setting.status, setting.new_group);
}

std::string why_no_space(const Plan& plan, const Setting& setting) {
  return missing_space(least_space(plan, setting), setting);
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
      if (setting.status.st_nlink > 1) return why_not_parted(setting.status);
      break;
    case Strategy::kCopy:
      if (setting.status.st_nlink > 1) return why_not_parted(setting.status);
      break;
    case Strategy::kShift:
      break;
  }
  const bool rewrites = plan.strategy == Strategy::kShift && file_system.copies_on_write;
  return missing_space(
      least_space(plan, setting) + (rewrites ? plan.size_before - plan.edit->gap_at : 0), setting);
}

std::string why_not_run(const Plan& plan, const Setting& setting, const Options& options) {
  if (std::string reason = why_impossible(plan, setting); !reason.empty()) return reason;
  // A strategy that was asked for is run, or fails, whatever auto would think of it; but for an
  // insertion that may lose bytes when interrupted.
  if (options.strategy && plan.strategy != Strategy::kInsert) return {};
  return why_not(plan, setting);
}

std::vector<Strategy> candidates(const Options& options) {
  if (options.strategy) return {*options.strategy};
  std::vector<Strategy> all(kAllStrategies.begin(), kAllStrategies.end());
  if (options.keep_inode) {
    std::erase_if(all, [](Strategy strategy) { return !keeps_inode(strategy); });
  }
  return all;
}

std::string why_not_shared(const Setting& setting) {
  return fmt::format("{} cannot share these extents", setting.file_system.name);
}

std::string describe(const Plan& plan, NewFileGoes where) {
  const bool in_its_place = where == NewFileGoes::kInItsPlace;
  switch (plan.strategy) {
    case Strategy::kReserve:
      return fmt::format("moov goes into the {} that are reserved at byte {}; nothing else moves",
                         format_size(plan.room.reserved), plan.room.at);
    case Strategy::kInsert:
      return fmt::format("the file system opens {} at byte {}; only moov is written",
                         format_size(plan.sizing.shift), plan.edit->gap_at);
    case Strategy::kReflink:
      return fmt::format("a new file shares the extents of this one{}; only moov is written",
                         in_its_place ? " and takes its place" : "");
    case Strategy::kCopy:
      return fmt::format("a new file is written{}",
                         in_its_place ? " beside this one and takes its place" : "");
    case Strategy::kShift:
      return fmt::format("every byte behind moov moves by {} within the file, in steps of that",
                         format_size(plan.sizing.shift));
  }
  return {};
}

bool leaves_to_others(Strategy strategy, const Error& error) {
  if (error.code == ErrorCode::kUnsuitable) return true;
  if (keeps_inode(strategy)) return false;
  switch (error.system_errno) {
    case ENOSPC:  // a new file that does not fit: the shift needs less
    case EDQUOT:
    case EBUSY:  // a name that cannot be given to another file: a mount point, say
    case EXDEV:
    case EACCES:
    case EPERM:
      return true;
    default:
      return false;
  }
}

}  // namespace shunt::faststart
