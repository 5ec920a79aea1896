// What the file system, the limits of this process and the owner of a file permit for it.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "shunt/faststart/plan.h"
#include "shunt/files/directory.h"
#include "shunt/files/file_system.h"
#include "shunt/io/file.h"

namespace shunt::faststart {

struct Setting {
  struct stat status {};
  bool has_status = false;
  files::FileSystem file_system;
  bool is_of_other_project = false;       // a new file gets another project id (chattr +P)
  gid_t new_group = 0;                    // group that a new file gets
  std::uint64_t size_limit = UINT64_MAX;  // bytes; RLIMIT_FSIZE

  // Returns the setting of `file`, which lies in `directory`.
  static Result<Setting> of(const files::Directory& directory, const io::File& file);
  // Returns the setting for a new file in `directory`. `status` is that of `file`, which may lie
  // elsewhere; without a `file` (null), has_status is false.
  static Result<Setting> beside(const files::Directory& directory, const io::File* file);
};

// Each of these returns a reason for people, or an empty string when there is nothing in the way.

// Why an edit by `plan` would write beyond the limit on file sizes and stop in the middle.
[[nodiscard]] std::string why_too_large(const Plan& plan, const Setting& setting);

// Why there is not enough space: less than `needed` bytes are free.
[[nodiscard]] std::string missing_space(std::uint64_t needed, const Setting& setting);
// Why there is not enough space for `plan`, counting only what it needs for sure.
[[nodiscard]] std::string why_no_space(const Plan& plan, const Setting& setting);

// Why a new file cannot replace the old one: the old one has several names (hard links).
[[nodiscard]] std::string why_not_parted(const Setting& setting);

// Why this user cannot give a new file, whose group is `new_group` at first, the owner and group in
// `status`.
[[nodiscard]] std::string why_not_ownable(const struct stat& status, gid_t new_group);

}  // namespace shunt::faststart
