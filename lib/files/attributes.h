// What belongs to a file besides its bytes: owner, mode, times, ACLs, extended attributes with the
// security label, inode flags, project.
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

  // Gives `file`, which is new and empty, all of these but the modification time, and takes away an
  // ACL that its directory has given it. What vouches for the bytes of the old file (security.ima,
  // security.evm) is not among them. kUnsuitable when this user may not: then the caller looks for
  // a way that needs no new file.
  Result<void> apply_to(io::File& file) const;
};

// Gives `made`, which is to take the name `name` in `directory`, what belongs to the file that has
// the name now; when there is none, the mode of a new file.
Result<void> inherit_attributes(io::File& made, const Directory& directory,
                                const std::string& name);

// Whether two looks saw the same file with the same content, as far as its size and times tell.
[[nodiscard]] bool same_state(const struct stat& a, const struct stat& b);

// The mode that a newly created file would have under this process's mask. Not for use while other
// threads create files.
Result<void> apply_default_mode(io::File& file);

}  // namespace shunt::files
