// What belongs to a file besides its bytes: owner, mode, times, ACLs, extended attributes.
#pragma once

#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/file.h"

namespace shunt::io {

struct Attributes {
  struct stat status {};
  // Extended attributes by name; ACLs are among them (system.posix_acl_access).
  std::vector<std::pair<std::string, std::string>> extended;

  static Result<Attributes> of(const File& file);

  // Gives `file` this owner, mode, access time and these extended attributes; its modification time
  // stays. kUnsuitable when this user may not: then the caller looks for a way that needs no new
  // file.
  Result<void> apply_to(File& file) const;
};

// Whether two looks saw the same file with the same content, as far as its size and times tell.
[[nodiscard]] bool same_state(const struct stat& a, const struct stat& b);

// The mode that a newly created file would have under this process's mask. Not for use while other
// threads create files.
Result<void> apply_default_mode(File& file);

}  // namespace shunt::io
