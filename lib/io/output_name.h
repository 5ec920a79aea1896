// What the name of an output stands for: something to write to, or the place of a new file.
#pragma once

#include <string>

#include "base/result.h"
#include "io/new_file.h"

namespace shunt::io {

// Whether there is a FIFO, a device or a socket of that name: it is written to, never replaced.
[[nodiscard]] bool names_stream(const std::string& path);

// The name for NewFile where people said `path`. A directory is never replaced; another file only
// with kReplace: through a symbolic link, the one that it leads to, and not the link. A link that
// leads nowhere counts as a file.
[[nodiscard]] Result<std::string> name_for_new_file(const std::string& path, IfThere if_there);

}  // namespace shunt::io
