// Files that are found and not made: another user may have put them there, or may put another in
// their place at any moment. They are opened without following a link and without waiting for
// anybody, and judged by the descriptor that came of it, never by their name: what was judged is
// then what is read.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>

#include "shunt/base/result.h"
#include "shunt/files/directory.h"
#include "shunt/io/file.h"

namespace shunt::files {

// Who besides the user that this process acts as (the effective one) is believed.
struct Believed {
  // Such as the owner of the file that the found one is about, by a look at its descriptor.
  std::optional<uid_t> owner;
};

// What speaks against believing the bytes of a file with this status, as the end of a sentence
// about it ("it belongs to another user (1000)"); empty when nothing does. It has to be a regular
// file, with one name (a second one may be planted), which a believed user owns and nobody else may
// write to.
[[nodiscard]] std::string why_not_believed(const struct stat& status, const Believed& believed);
// The same of a directory and the names in it.
[[nodiscard]] std::string why_not_believed_directory(const struct stat& status,
                                                     const Believed& believed);
// The part of it that is about people: a believed user owns it and nobody else may write to it.
[[nodiscard]] std::string why_not_owned(const struct stat& status, const Believed& believed);

// Who is believed besides the user about files that nobody shares on purpose, as those of a cache.
inline constexpr Believed kOnlyRoot{0};

// Opens a directory that this program keeps files of its own in, and judges what it has opened:
// kLocalIo, with what to do, when it is none or others may have put something into it. Root's are
// believed. A link may lead to it.
[[nodiscard]] Result<Directory> open_own_directory(const std::string& path);

enum class FoundFor { kReading, kChanging };

// Opens a found file and judges it. system_errno ENOENT when there is none; kIntegrity when it is
// not believed, and its bytes have not been looked at then.
[[nodiscard]] Result<io::File> open_found(const Directory& directory, const std::string& name,
                                          FoundFor purpose, const Believed& believed,
                                          io::Counters* counters = nullptr);
[[nodiscard]] Result<io::File> open_found(const std::string& path, FoundFor purpose,
                                          const Believed& believed,
                                          io::Counters* counters = nullptr);

}  // namespace shunt::files
