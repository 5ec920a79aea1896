// Files that were found, not created: another user may have placed them, or may replace them at any
// moment. They are opened without following links and without blocking, and checked by the opened
// descriptor, never by name: what is checked is what is read.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>

#include "shunt/base/result.h"
#include "shunt/files/directory.h"
#include "shunt/io/file.h"

namespace shunt::files {

// Trusted owners, besides the user of this process (the effective one).
struct Believed {
  // For example, the owner of the file that the found one is about, as seen through its descriptor.
  std::optional<uid_t> owner;
};

// Returns why the bytes of a file with this status are not trusted, as the end of a sentence ("it
// belongs to another user (1000)"); empty if they are. Trusted is a regular file with one name (a
// second one may be planted) that a trusted user owns and nobody else can write to.
[[nodiscard]] std::string why_not_believed(const struct stat& status, const Believed& believed);
// Same for a directory and the names in it.
[[nodiscard]] std::string why_not_believed_directory(const struct stat& status,
                                                     const Believed& believed);
// Checks only that a trusted user owns it and nobody else can write to it.
[[nodiscard]] std::string why_not_owned(const struct stat& status, const Believed& believed);

// For files that nobody shares on purpose, such as those of a cache.
inline constexpr Believed kOnlyRoot{0};

// Opens a directory of this program's own files and checks it. Returns kLocalIo, with a hint, if it
// is not a directory or others may have put something into it. Root is trusted. A link may lead to
// it.
[[nodiscard]] Result<Directory> open_own_directory(const std::string& path);

enum class FoundFor { kReading, kChanging };

// Opens a found file and checks it. system_errno ENOENT if there is none; kIntegrity if it is not
// trusted, in which case no byte was read.
[[nodiscard]] Result<io::File> open_found(const Directory& directory, const std::string& name,
                                          FoundFor purpose, const Believed& believed,
                                          io::Counters* counters = nullptr);
[[nodiscard]] Result<io::File> open_found(const std::string& path, FoundFor purpose,
                                          const Believed& believed,
                                          io::Counters* counters = nullptr);

}  // namespace shunt::files
