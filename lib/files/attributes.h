// The metadata of a file: owner, mode, times, ACLs, extended attributes including the security
// label, inode flags, project.
#pragma once

#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/files/directory.h"
#include "shunt/files/inode_flags.h"
#include "shunt/io/file.h"

namespace shunt::files {

struct Attributes {
  struct stat status {};
  // Extended attributes by name; ACLs are among them (system.posix_acl_access).
  std::vector<std::pair<std::string, std::string>> extended;

  InodeFlags flags;

  static Result<Attributes> of(const io::File& file);

  // Sets all of these except the modification time on `file`, which is new and empty, and removes
  // an ACL inherited from its directory. Attributes that certify the old bytes (security.ima,
  // security.evm) are left out. Returns kUnsuitable if this user may not; the caller then looks for
  // a way without a new file.
  Result<void> apply_to(io::File& file) const;
};

// Gives `made`, which will become `name` in `directory`, the attributes of the file that has the
// name now, or the default mode if there is none.
Result<void> inherit_attributes(io::File& made, const Directory& directory,
                                const std::string& name);

// Returns true if both are the same file with the same content, judged by size and times.
[[nodiscard]] bool same_state(const struct stat& a, const struct stat& b);

// Sets the mode that a new file gets under this process's umask. Must not be called while other
// threads create files.
Result<void> apply_default_mode(io::File& file);

}  // namespace shunt::files
