#include "shunt/faststart/choose.h"

#include <algorithm>
#include <cerrno>

namespace shunt::faststart {

std::vector<const Strategy*> strategies_asked_for(const Options& options) {
  if (options.strategy != nullptr) return {options.strategy};
  return {options.strategies.begin(), options.strategies.end()};
}

std::vector<const Strategy*> candidates(const Options& options) {
  std::vector<const Strategy*> all = strategies_asked_for(options);
  if (options.strategy == nullptr && options.keep_inode) {
    std::erase_if(all, [](const Strategy* strategy) { return !strategy->keeps_inode(); });
  }
  return all;
}

std::string why_impossible(const Plan& plan, const Setting& setting) {
  if (std::string reason = why_too_large(plan, setting); !reason.empty()) return reason;
  if (plan.strategy->keeps_inode()) return {};
  if (setting.file_system.is_mount_point) {
    return "the file is a mount point and cannot be replaced";
  }
  if (setting.is_of_other_project) {
    return "the folder only accepts files of its own project (chattr +P)";
  }
  return why_not_ownable(setting.status, setting.new_group);
}

std::string why_not_run(const Plan& plan, const Setting& setting, const Options& options) {
  if (std::string reason = why_impossible(plan, setting); !reason.empty()) return reason;
  // A strategy that was asked for runs, whatever auto would say.
  if (options.strategy != nullptr && plan.strategy->can_be_forced()) return {};
  return plan.strategy->why_not(plan, setting);
}

bool leaves_to_others(const Strategy& strategy, const Error& error) {
  if (error.code == ErrorCode::kUnsuitable) return true;
  if (strategy.keeps_inode()) return false;
  switch (error.system_errno) {
    case ENOSPC:  // a new file does not fit: shift needs less space
    case EDQUOT:
    case EBUSY:  // the name cannot be given to another file: a mount point, for example
    case EXDEV:
    case EACCES:
    case EPERM:
      return true;
    default:
      return false;
  }
}

}  // namespace shunt::faststart
