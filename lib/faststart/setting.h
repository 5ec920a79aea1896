// The file that a strategy is chosen for, and where it lies: what the place rules out.
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
  bool is_of_other_project = false;       // new files there belong to another project (chattr +P)
  gid_t new_group = 0;                    // the group of new files there
  std::uint64_t size_limit = UINT64_MAX;  // RLIMIT_FSIZE: no byte is written from there on

  // Of `file`, in `directory`.
  static Result<Setting> of(const files::Directory& directory, const io::File& file);
  // What holds for a new file in `directory`; the rest is of `file`, which may be elsewhere.
  static Result<Setting> beside(const files::Directory& directory, const io::File* file);
};

// Each of these gives a reason, in words for people; empty when there is none.

// `plan` writes beyond the limit on the size of files, where an edit might get stuck in the middle.
[[nodiscard]] std::string why_too_large(const Plan& plan, const Setting& setting);

// There are less than `needed` bytes free.
[[nodiscard]] std::string missing_space(std::uint64_t needed, const Setting& setting);
// There is less space than running `plan` is sure to take.
[[nodiscard]] std::string why_no_space(const Plan& plan, const Setting& setting);

// The file has several names, and a new file would have one of them.
[[nodiscard]] std::string why_not_parted(const Setting& setting);

// This user may not give a new file, which belongs to `new_group` at first, the owner and group
// that `status` has.
[[nodiscard]] std::string why_not_ownable(const struct stat& status, gid_t new_group);

}  // namespace shunt::faststart
