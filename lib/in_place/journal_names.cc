#include "shunt/in_place/journal_names.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string_view>

#include "shunt/files/path.h"
#include "shunt/in_place/journal_mark.h"

namespace shunt::in_place {
namespace {

constexpr const char* kSuffix = ".shunt-journal";

std::string name_of_user(const std::string& name, uid_t user) {
  return files::companion(name, fmt::format("{}.{}", kSuffix, user));
}

// As many digits as random_digits() returns.
constexpr std::string_view kNoDigits = "0000000000000000";

std::string spare_name(const std::string& name, uid_t user, std::string_view digits) {
  return files::companion(name, fmt::format("{}.{}-{}", kSuffix, user, digits));
}

bool is_spare_name(std::string_view found, const std::string& name, uid_t user) {
  const std::string like = spare_name(name, user, kNoDigits);
  return found.size() == like.size() &&
         found.starts_with(std::string_view(like).substr(0, like.size() - kNoDigits.size()));
}

}  // namespace

std::string usual_journal_name(const std::string& name) {
  return files::companion(name, kSuffix);
}

std::string unfinished_journal_name(const std::string& name) {
  return files::companion(name, fmt::format("{}-new", kSuffix));
}

JournalNames::JournalNames(const files::Directory& directory, const std::string& target)
    : directory_(directory), target_(target), usual_(usual_journal_name(target)) {}

Result<JournalNames> JournalNames::of(const files::Directory& directory, const std::string& name,
                                      const io::File& target) {
  SHUNT_ASSIGN(const struct stat status, target.status());
  JournalNames names(directory, name);
  names.owner_ = status.st_uid;
  // With an ACL, the group's bits are its mask.
  const bool open_to_others = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  SHUNT_ASSIGN(const auto of_directory, directory.look("."));
  const bool sticky = of_directory && (of_directory->st_mode & S_ISVTX) != 0;
  const JournalMark mark = sticky ? mark_of(target) : JournalMark();
  if (!sticky || (open_to_others && !mark.tells)) {
    names.any_concerns_ = true;
    return names;
  }
  names.takes_mark_ = open_to_others;
  names.marked_ = mark.name;
  for (const uid_t user : std::set<uid_t>{status.st_uid, 0, ::geteuid()}) {
    names.others_.emplace_back(user, name_of_user(name, user));
  }
  return names;
}

bool JournalNames::concerns_target(const struct stat& found) const {
  return any_concerns_ || found.st_uid == owner_ || found.st_uid == 0 ||
         found.st_uid == ::geteuid();
}

Result<bool> JournalNames::is_taken(const std::string& name) const {
  SHUNT_ASSIGN(const auto found, directory_.look(name));
  return found && concerns_target(*found);
}

Result<std::vector<std::string>> JournalNames::all_names() const {
  if (others_.empty()) return std::vector<std::string>();
  auto names = directory_.names();
  // A user who cannot list the directory makes no such names in it: see free_name().
  if (!names && names.error().system_errno == EACCES) return std::vector<std::string>();
  return names;
}

Result<std::optional<std::string>> JournalNames::taken() const {
  if (!marked_.empty()) {
    SHUNT_ASSIGN(const auto found, directory_.look(marked_));
    if (found) return std::optional(marked_);
  }
  SHUNT_ASSIGN(const bool usual, is_taken(usual_));
  if (usual) return std::optional(usual_);
  SHUNT_ASSIGN(const std::vector<std::string> all, all_names());
  for (const auto& [user, name] : others_) {
    SHUNT_ASSIGN(const bool own, is_taken(name));
    if (own) return std::optional(name);
    for (const std::string& spare : all) {
      if (!is_spare_name(spare, target_, user)) continue;
      SHUNT_ASSIGN(const bool taken, is_taken(spare));
      if (taken) return std::optional(spare);
    }
  }
  return std::optional<std::string>();
}

Result<std::string> JournalNames::free_name() const {
  SHUNT_ASSIGN(const auto usual, directory_.look(usual_));
  if (!usual) return usual_;
  std::string name = usual_;
  if (!concerns_target(*usual)) {
    for (const auto& [user, own] : others_) {
      if (user == ::geteuid()) name = own;
    }
  }
  SHUNT_ASSIGN(const auto taken, directory_.look(name));
  if (!taken) return name;
  // Another user's file there too: use an unpredictable name. It must be possible to find it again.
  const bool is_found = takes_mark_ || ::faccessat(directory_.fd(), ".", R_OK, AT_EACCESS) == 0;
  if (name != usual_ && !concerns_target(*taken) && is_found) {
    return spare_name(target_, ::geteuid(), files::random_digits());
  }
  Error error = system_error(EEXIST, directory_.path_of(name), "create the journal");
  error.reason = "the name is already taken";
  return error;
}

}  // namespace shunt::in_place
