// What a file system keeps about a file besides what stat(2) and extended attributes show: the
// flags of chattr(1), the project that its space is counted for, and how large its extents should
// be.
#pragma once

#include <cstdint>
#include <optional>

#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::files {

struct InodeFlags {
  // What the file system does not know stays empty.
  static InodeFlags of(const io::File& file);

  // Gives these to `file`, which has to be empty still: some of them (no copy-on-write, real-time
  // device, extent size) cannot be given later. What says nothing about the content to come
  // (immutable, append-only, encrypted) is left alone. kUnsuitable when this user may not.
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

// The project that files get that are made in this directory, where it says so (chattr +P). A file
// of another one cannot be renamed to a name in it.
[[nodiscard]] std::optional<std::uint32_t> inherited_project(const io::File& directory);

}  // namespace shunt::files
