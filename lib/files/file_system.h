// Capabilities of the file system under a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shunt/base/result.h"
#include "shunt/files/directory.h"
#include "shunt/io/file.h"

namespace shunt::files {

struct FileSystem {
  std::string_view name;  // "ext4", "XFS", …; "other"
  // FALLOC_FL_INSERT_RANGE, where an interruption leaves at most one hole: ext4 and XFS. F2FS grows
  // the file last, CIFS overwrites itself.
  bool insert_range = false;
  bool copies_on_write = false;       // every write takes new space
  bool clone_range = false;           // may support FICLONERANGE (XFS: if created with reflink)
  bool in_kernel_copy_first = false;  // copy_file_range may share extents, or copy on the server
  bool is_mount_point = false;        // the file itself is a mount point
  std::uint64_t block_size = 4096;
  std::uint64_t free_bytes = 0;  // available to this user

  static Result<FileSystem> of(const io::File& file);
  static Result<FileSystem> of(const Directory& directory);

 private:
  static Result<FileSystem> of(int fd, const std::string& path);
};

// Returns whether a new file in `directory` could share a block of `file`, by a trial with an
// unnamed file. True if that cannot be tried.
[[nodiscard]] bool can_share(const Directory& directory, const io::File& file, std::uint64_t block);

}  // namespace shunt::files
