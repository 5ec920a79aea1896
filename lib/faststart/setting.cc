#include "shunt/faststart/setting.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "shunt/faststart/strategy.h"
#include "shunt/files/inode_flags.h"
#include "shunt/text/size_text.h"

namespace shunt::faststart {
namespace {

std::uint64_t limit_of_sizes() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

gid_t group_in(const struct stat& directory) {
  return (directory.st_mode & S_ISGID) != 0 ? directory.st_gid : ::getegid();
}

// Returns the group of a new file in the directory.
Result<gid_t> new_group_in(const files::Directory& directory) {
  SHUNT_ASSIGN(const auto own, directory.look("."));
  return own ? group_in(*own) : ::getegid();
}

// A file of another project cannot be renamed into a directory whose new files inherit a project.
bool has_another_project(const files::Directory& directory, const io::File& file) {
  const Result<io::File> opened = directory.open(".", O_RDONLY | O_DIRECTORY, "open directory");
  if (!opened) return false;
  const auto project = files::inherited_project(*opened);
  return project && *project != files::InodeFlags::of(file).project;
}

}  // namespace

Result<Setting> Setting::of(const files::Directory& directory, const io::File& file) {
  Setting setting;
  SHUNT_ASSIGN(setting.status, file.status());
  setting.has_status = true;
  SHUNT_ASSIGN(setting.file_system, files::FileSystem::of(file));
  SHUNT_ASSIGN(setting.new_group, new_group_in(directory));
  setting.size_limit = limit_of_sizes();
  setting.is_of_other_project = has_another_project(directory, file);
  return setting;
}

Result<Setting> Setting::beside(const files::Directory& directory, const io::File* file) {
  Setting setting;
  SHUNT_ASSIGN(setting.file_system, files::FileSystem::of(directory));
  if (file != nullptr) {
    SHUNT_ASSIGN(setting.status, file->status());
    setting.has_status = true;
  }
  SHUNT_ASSIGN(setting.new_group, new_group_in(directory));
  setting.size_limit = limit_of_sizes();
  return setting;
}

std::string why_too_large(const Plan& plan, const Setting& setting) {
  const std::uint64_t end = plan.strategy->cost(plan).writes_below;
  if (end <= setting.size_limit) return {};
  return fmt::format(
      "it writes up to byte {}, and the limit on the size of files is {} (ulimit -f)", end,
      setting.size_limit);
}

std::string missing_space(std::uint64_t needed, const Setting& setting) {
  if (needed <= setting.file_system.free_bytes) return {};
  return fmt::format("it needs {} of free space, but only {} are free", format_size(needed),
                     format_size(setting.file_system.free_bytes));
}

std::string why_no_space(const Plan& plan, const Setting& setting) {
  return missing_space(plan.strategy->least_space(plan, setting), setting);
}

std::string why_not_parted(const Setting& setting) {
  return fmt::format("the file has {} names (hard links), which a new file would separate",
                     setting.status.st_nlink);
}

std::string why_not_ownable(const struct stat& status, gid_t new_group) {
  if (::geteuid() == 0) return {};
  if (status.st_uid != ::geteuid()) {
    return "the file belongs to another user, to whom a new file cannot be given";
  }
  if (status.st_gid == new_group || status.st_gid == ::getegid()) return {};
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  if (std::ranges::find(groups, status.st_gid) != groups.end()) return {};
  return "the file belongs to a group to which this user cannot give a new file";
}

}  // namespace shunt::faststart
