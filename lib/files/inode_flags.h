// File metadata beyond stat(2) and extended attributes: the flags of chattr(1), the project for
// quotas, and extent size hints.
#pragma once

#include <cstdint>
#include <optional>

#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::files {

struct InodeFlags {
  // Values that the file system does not know stay empty.
  static InodeFlags of(const io::File& file);

  // Sets these on `file`, which must be empty: some (no copy-on-write, real-time device, extent
  // size) cannot be set later. Flags that are about the old content (immutable, append-only,
  // encrypted) are left out. Returns kUnsuitable if this user may not.
  Result<void> apply_to(io::File& file) const;

  bool has_flags = false;
  std::uint32_t flags = 0;  // FS_IOC_GETFLAGS
  bool has_extended = false;
  std::uint32_t extended = 0;  // FS_IOC_FSGETXATTR
  std::uint32_t extent_size = 0;
  std::uint32_t cow_extent_size = 0;
  std::uint32_t project = 0;

  bool operator==(const InodeFlags&) const = default;
};

// Returns the project that new files in this directory inherit, if it is set so (chattr +P). A file
// of another project cannot be renamed into it.
[[nodiscard]] std::optional<std::uint32_t> inherited_project(const io::File& directory);

}  // namespace shunt::files
